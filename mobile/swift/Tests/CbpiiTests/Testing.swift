import Foundation

/// What a library built for tests offers beside its API: see src/testing.rs.
enum Testing {
    /// Makes the next call that can fail panic.
    static func arm() { symbol("cbpii_mobile_testing_arm", (@convention(c) () -> Void).self)() }

    /// How many objects are alive on the other side.
    static var alive: Int64 { symbol("cbpii_mobile_testing_alive", (@convention(c) () -> Int64).self)() }

    private static func symbol<Function>(_ name: String, _: Function.Type) -> Function {
        guard let address = dlsym(dlopen(nil, RTLD_NOW), name) else {
            fatalError("the library was built without its feature testing: there is no \(name)")
        }
        return unsafeBitCast(address, to: Function.self)
    }
}
