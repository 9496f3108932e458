// swift-tools-version: 6.0
import PackageDescription

// The library itself is Rust. On Apple's platforms it is the XCFramework that `make-xcframework` writes, elsewhere
// libcbpii_mobile.so, whose folder the linker is told: `swift build -Xlinker -L/folder`.
#if os(macOS)
let library: Target = .binaryTarget(name: "CbpiiFFI", path: "CbpiiFFI.xcframework")
#else
let library: Target = .target(name: "CbpiiFFI", linkerSettings: [.linkedLibrary("cbpii_mobile")])
#endif

let package = Package(
    name: "Cbpii",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Cbpii", targets: ["Cbpii"])],
    targets: [
        library,
        // UniFFI's tasks for asynchronous callbacks capture closures that are not Sendable, which Swift 6 does not take.
        .target(
            name: "CbpiiGenerated", dependencies: ["CbpiiFFI"], swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.linkedFramework("Security", .when(platforms: [.iOS, .macOS]))]),
        .target(name: "Cbpii", dependencies: ["CbpiiGenerated"]),
        .testTarget(name: "CbpiiTests", dependencies: ["Cbpii", "CbpiiGenerated"]),
    ],
    swiftLanguageModes: [.v6]
)
