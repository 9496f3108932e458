import Foundation

/// A JSON value, as the cases and the sandbox bank have it.
enum Json: Codable, Sendable {
    case null
    case bool(Bool)
    case number(Decimal)
    case string(String)
    case array([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Decimal.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let members = try? value.decode([String: Json].self) {
            self = .object(members)
        } else {
            self = .array(try value.decode([Json].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .number(let number): try value.encode(number)
        case .string(let text): try value.encode(text)
        case .array(let members): try value.encode(members)
        case .object(let members): try value.encode(members)
        }
    }

    static func read(_ data: Data) throws -> Json { try JSONDecoder().decode(Json.self, from: data) }
    static func read(_ text: String) throws -> Json { try read(Data(text.utf8)) }

    var data: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return (try? encoder.encode(self)) ?? Data()
    }
    var text: String { String(decoding: data, as: UTF8.self) }

    subscript(member: String) -> Json { object?[member] ?? .null }
    var object: [String: Json]? { if case .object(let members) = self { members } else { nil } }
    var array: [Json]? { if case .array(let members) = self { members } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int? { if case .number(let number) = self { Int("\(number)") } else { nil } }
    var isNull: Bool { if case .null = self { true } else { false } }

    init(_ text: String?) { self = text.map(Json.string) ?? .null }
    init(_ number: Int?) { self = number.map { .number(Decimal($0)) } ?? .null }
}

/// Texts are equal byte for byte, where Swift would also take another normal form of Unicode.
extension Json: Equatable {
    static func == (one: Json, other: Json) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.number(let one), .number(let other)): one == other
        case (.string(let one), .string(let other)): Array(one.utf8) == Array(other.utf8)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): one == other
        default: false
        }
    }
}

extension Json: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral text: String) { self = .string(text) }
    init(integerLiteral number: Int) { self = .number(Decimal(number)) }
    init(booleanLiteral bool: Bool) { self = .bool(bool) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral members: Json...) { self = .array(members) }
    init(dictionaryLiteral members: (String, Json)...) {
        self = .object(Dictionary(uniqueKeysWithValues: members))
    }
}
