#if os(Linux)
  import Foundation
  import Langso
  import Malloc
  import TestPhones

  /// Says what the process takes up when all that is kept once has come, and after so many rounds more.
  func measure(_ rounds: Int, after first: Int, _ round: (Int) async throws -> Void) async throws {
    _ = try Footprint.now
    for number in 0..<first { try await round(number) }
    say("\(try Footprint.now)")
    for number in 0..<rounds { try await round(number) }
    say("\(try Footprint.now)")
  }

  /// A thread keeps a thousand spare parts of Swift's queues.
  let untilThreadsAreFull = 1_500

  func openAndClose(_ folder: String, _ rounds: Int) async throws {
    try await measure(rounds, after: untilThreadsAreFull) { _ in
      let phone = try await LangsoPhone.open(folder: folder)
      _ = try await phone.phone.getState()
      phone.close()
    }
  }

  /// A loop a minute that is left before the next, known to the core for as long as a call; once an hour it hears of a
  /// change first.
  func listen(_ folder: String, _ rounds: Int, invite: String) async throws {
    let phone = try await LangsoPhone.open(folder: folder)
    try await phone.join(invite: invite)
    let hamlet = try await phone.hamlet()
    try await measure(rounds, after: untilThreadsAreFull) { number in
      let changes = phone.changes
      guard number % 60 == 0 else {
        _ = try await phone.phone.getState()
        return withExtendedLifetime(changes) {}
      }
      _ = try await phone.visits.logVisit(visit(hamlet: hamlet))
      for await changed in changes where changed.book { break }
    }
    phone.close()
  }

  /// The whole list from its top to its end, page by page.
  func scroll(_ folder: String, _ rounds: Int, households: Int, invite: String) async throws {
    let phone = try await LangsoPhone.open(folder: folder)
    try await phone.join(invite: invite)
    for number in 1...households { _ = try await phone.household("Hộ \(number)") }
    try await measure(rounds, after: 1) { _ in
      var seen: UInt32 = 0
      while case let page = try await phone.households.listHouseholds(ListHouseholds(skip: seen)).households,
        !page.isEmpty
      {
        guard page.count <= 100 else { throw Failed("a page of \(page.count)") }
        seen += UInt32(page.count)
      }
      guard seen == households else { throw Failed("\(seen) of \(households)") }
    }
    phone.close()
  }

  private struct Footprint: CustomStringConvertible {
    /// What is allocated and not freed, wherever in the process.
    let bytes: Int
    /// Pages of its own, in kB: stacks and mappings too, and what was freed and is kept.
    let resident: Int
    let threads: Int
    let files: Int

    var description: String { "\(bytes) \(resident) \(threads) \(files)" }

    static var now: Footprint {
      get throws {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        func number(_ name: String) throws -> Int {
          let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
          guard let number = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else {
            throw Failed("no \(name)")
          }
          return number
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let info = mallinfo2()
        return Footprint(
          bytes: Int(info.uordblks) + Int(info.hblkhd), resident: try number("RssAnon"),
          threads: try number("Threads"), files: files)
      }
    }
  }
#endif
