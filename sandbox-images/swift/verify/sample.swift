// A board of notes with undo: enums with values, protocols, generics, closures, errors, tasks.
import Foundation

enum Change: Equatable, CustomStringConvertible {
    case add(id: Int, text: String)
    case move(id: Int, to: Column)
    case remove(id: Int)

    var description: String {
        switch self {
        case .add(let id, let text): return "add #\(id) \(text)"
        case let .move(id, to): return "move #\(id) to \(to)"
        case .remove(let id): return "remove #\(id)"
        }
    }
}

enum Column: String, CaseIterable {
    case open, doing, done
}

enum BoardError: Error {
    case unknown(Int)
    case full(Column, limit: Int)
    case syntax(line: Int, String)
}

struct Note: Codable, Hashable {
    let id: Int
    var text: String
    var column: String
}

protocol Storage {
    associatedtype Key: Hashable & Comparable
    associatedtype Value
    subscript(key: Key) -> Value? { get set }
    var keys: [Key] { get }
}

struct Memory<Key: Hashable & Comparable, Value>: Storage {
    private var values: [Key: Value] = [:]
    subscript(key: Key) -> Value? {
        get { values[key] }
        set { values[key] = newValue }
    }
    var keys: [Key] { values.keys.sorted() }
}

extension Storage {
    func all(where keep: (Value) -> Bool = { _ in true }) -> [Value] {
        keys.compactMap { self[$0] }.filter(keep)
    }
}

final class Board<Store: Storage> where Store.Key == Int, Store.Value == Note {
    private var store: Store
    private var undos: [() -> Void] = []
    private(set) lazy var created = 0
    var observer: ((Change) -> Void)?

    init(_ store: Store) { self.store = store }
    deinit { print("board closed") }

    func apply(_ change: Change) throws {
        switch change {
        case .add(let id, let text):
            store[id] = Note(id: id, text: text, column: Column.open.rawValue)
            created += 1
            undos.append { [unowned self] in store[id] = nil }
        case .move(let id, let column):
            guard var note = store[id] else { throw BoardError.unknown(id) }
            let limit = 2
            if column == .doing, notes(in: .doing).count >= limit { throw BoardError.full(column, limit: limit) }
            let before = note
            note.column = column.rawValue
            store[id] = note
            undos.append { [unowned self] in store[id] = before }
        case .remove(let id):
            guard let note = store[id] else { throw BoardError.unknown(id) }
            store[id] = nil
            undos.append { [unowned self] in store[id] = note }
        }
        observer?(change)
    }

    func undo() { undos.popLast()?() }
    func notes(in column: Column) -> [Note] { store.all { $0.column == column.rawValue } }
}

func parse(_ line: Substring, number: Int) throws -> Change {
    let words = line.split(separator: " ")
    guard words.count >= 2, let id = Int(words[1]) else { throw BoardError.syntax(line: number, String(line)) }
    switch (words[0], words.dropFirst(2).joined(separator: " ")) {
    case ("add", let text) where !text.isEmpty: return .add(id: id, text: text)
    case ("move", let name): if let column = Column(rawValue: name) { return .move(id: id, to: column) }
    case ("remove", _): return .remove(id: id)
    default: break
    }
    throw BoardError.syntax(line: number, String(line))
}

func work() throws {
    let board = Board(Memory<Int, Note>())
    var seen: [Change] = []
    board.observer = { seen.append($0) }
    let script = "add 1 buy paint\nadd 2 call ann\nadd 3 sleep\nmove 1 doing\nmove 2 doing\nmove 3 doing\nmove 9 done\nfly 1\nmove 1 done\nremove 3"
    for (index, line) in script.split(separator: "\n").enumerated() {
        do {
            try board.apply(parse(line, number: index + 1))
        } catch BoardError.full(let column, let limit) {
            print("\(column.rawValue) has its \(limit) notes")
        } catch let error as BoardError {
            print("refused: \(error)")
        }
    }
    board.undo()
    for column in Column.allCases {
        let texts = board.notes(in: column).map(\.text)
        print(column.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0), texts)
    }
    print(seen.count, seen.last ?? "none", seen.contains(.remove(id: 3)))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    print(String(decoding: try encoder.encode(board.notes(in: .done)), as: UTF8.self))
    print(String(format: "%.3f %05d %@", 3.14159, 42, "ok"), stride(from: 10, to: 0, by: -3).reduce(0, +))
}

try work()
let squares = await withTaskGroup(of: Int.self, returning: [Int].self) { group in
    for number in 1...5 { group.addTask { number * number } }
    var all: [Int] = []
    for await square in group { all.append(square) }
    return all.sorted()
}
print(squares, zip("abc", 1...).map { "\($0)\($1)" }, UInt8.max &+ 1)
