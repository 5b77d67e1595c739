import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// What `changes` tells, and when.
  @Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    @Test func aChangeMadeAfterAskingForChangesIsToldOnceItIsMade() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        var changes = phone.changes.makeAsyncIterator()
        try await phone.log()
        #expect(await changes.next()?.book == true)
        try await phone.syncAll()
        var isRunning: Bool?
        repeat { isRunning = await changes.next()?.sync?.isRunning } while isRunning != false
        #expect(try await phone.phone.getState().unsent == 0)
      }
    }

    @Test func manySavesAreFewTellingsAndTheLastOneIsTold() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let hamlet = try await phone.hamlet()
        let changes = phone.changes
        let heard = Task {
          var tellings = 0
          for await _ in changes {
            tellings += 1
            if try await phone.phone.getState().unsent == 100 { return tellings }
          }
          throw Failed("the last change was not told")
        }
        for _ in 0..<100 { _ = try await phone.visits.logVisit(visit(hamlet: hamlet)) }
        let tellings = try await heard.value
        #expect(tellings < 100)
      }
    }

    @Test func aLoopThatIsSlowGetsWhatItMissedInOne() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        let phone = try await LangsoPhone.open(folder: folder.path)
        try await phone.join(hub)
        let slow = phone.changes
        var quick = phone.changes.makeAsyncIterator()
        try await phone.syncAll()
        while let told = await quick.next(), told.sync?.isRunning != false {}
        for _ in 0..<3 {
          try await phone.log()
          _ = await quick.next()
        }
        phone.close()
        var heard: [Changed] = []
        for await told in slow { heard.append(told) }
        #expect(heard.count == 1)
        #expect(heard.first?.sync?.isRunning == false && heard.first?.book == true && heard.first?.receipts == true)
      }
    }

    @MainActor @Test func whatIsToldIsHeardOnTheActorThatListens() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let changes = phone.changes
        try await phone.log()
        for await _ in changes {
          MainActor.preconditionIsolated()
          break
        }
      }
    }

    @Test func closingEndsEveryLoop() async throws {
      try await withPhone { phone, _ in
        let loops = (0..<10).map { _ in phone.changes }.map { changes in
          Task { for await _ in changes { Issue.record("nothing has changed") } }
        }
        phone.close()
        for loop in loops { await loop.value }
      }
    }
  }
}
