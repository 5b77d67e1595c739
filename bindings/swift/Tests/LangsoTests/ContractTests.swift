import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// What an app may rely on: where calls run, lifetime, cancellation.
  @Suite(.timeLimit(.minutes(1))) struct ContractTests {
    @MainActor @Test func theMainActorGoesOnWhileACallRuns() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let hamlet = try await phone.hamlet()
        for _ in 0..<20 {
          var hasGoneOn = false
          Task { @MainActor in hasGoneOn = true }
          _ = try await phone.visits.logVisit(visit(hamlet: hamlet))
          #expect(hasGoneOn)
        }
      }
    }

    @MainActor @Test func theMainActorGoesOnWhileAFolderThatIsSlowOpens() async throws {
      try await withFolder { folder in
        // Who opens a pipe to write waits for somebody who reads: here until the main actor has gone on for a while, or
        // for so long that it is held.
        let pipe = folder.appendingPathComponent("phone.lock").path
        mkfifo(pipe, 0o600)
        let (goesOn, hasOpened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let reading = Task.detached { () -> Bool in
          await withCheckedContinuation { continuation in
            Thread.detachNewThread {
              continuation.resume(returning: goesOn.wait(timeout: .now() + 20) == .success)
              repeat { close(open(pipe, O_RDONLY | O_NONBLOCK)) } while hasOpened.wait(timeout: .now()) != .success
            }
          }
        }
        let opening = Task {
          defer { hasOpened.signal() }
          return try await LangsoPhone.open(folder: folder.path)
        }
        for _ in 0..<1_000 { await Task.yield() }
        goesOn.signal()
        _ = try await opening.value.phone.getState()
        #expect(await reading.value)
      }
    }

    @Test func aSaveTwiceWithOneTokenIsOne() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let new = visit(hamlet: try await phone.hamlet(), token: UUID().uuidString)
        let first = try await phone.visits.logVisit(new)
        #expect(try await phone.visits.logVisit(new).visit == first.visit)
        #expect(try await phone.phone.getState().unsent == 1)
      }
    }

    @Test func afterCloseEveryCallSaysSoTwiceIsAsOnceAndTheFolderIsFree() async throws {
      try await withFolder { folder in
        let phone = try await LangsoPhone.open(folder: folder.path)
        _ = try await phone.phone.getState()
        phone.close()
        phone.close()
        await #expect(throws: AppError.Locked(why: "closed")) { try await phone.phone.getState() }
        await #expect(throws: AppError.Locked(why: "closed")) { try await phone.syncAll() }
        for await _ in phone.changes { Issue.record("a closed phone tells") }
        try await withPhoneIn(folder) { _ = try await $0.phone.getState() }
      }
    }

    @Test func closeWhileCallsRunLetsThemEndAndThenTheFolderIsFree() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        let phone = try await LangsoPhone.open(folder: folder.path)
        try await phone.join(hub)
        let hamlet = try await phone.hamlet()
        let calls = (0..<50).map { _ in Task { try await phone.visits.logVisit(visit(hamlet: hamlet)).visit } }
        _ = try await calls[0].value
        phone.close()
        var saved: Set<VisitId> = []
        for call in calls {
          do { saved.insert(try await call.value) } catch { #expect(error as? AppError == .Locked(why: "closed")) }
        }
        try await withPhoneIn(folder) { phone in
          let kept = Set(try await phone.allVisits().map(\.visit))
          #expect(kept == saved)
        }
      }
    }

    @Test func closeEndsACallThatWaitsForTheHubAndFreesTheFolder() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        let phone = try await LangsoPhone.open(folder: folder.path)
        try await phone.join(hub)
        try await phone.log()
        hub.kill()
        let silent = try SilentHub(port: hub.port)
        let sync = Task { try await phone.syncAll() }
        await silent.heard()
        phone.close()
        await #expect(throws: AppError.Offline(why: "stopped")) { try await sync.value }
        try await withPhoneIn(folder) { phone in
          let unsent = try await phone.phone.getState().unsent
          #expect(unsent == 1)
        }
      }
    }

    @Test func aPhoneThatIsDroppedWithoutCloseLetsGoOfTheFolder() async throws {
      try await withFolder { folder in
        for _ in 0..<3 {
          // Who holds a feature holds the phone.
          let settings = try await LangsoPhone.open(folder: folder.path).settings
          _ = try await settings.getSettings()
        }
      }
    }

    @Test func aCancelledSyncEndsAtOnceAndTheNextOneEndsWell() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        try await phone.log()
        hub.kill()
        do {
          let silent = try SilentHub(port: hub.port)
          let sync = Task { try await phone.syncAll() }
          await silent.heard()
          // A running sync lets others in.
          try await phone.log()
          sync.cancel()
          await #expect(throws: AppError.Offline(why: "stopped")) { try await sync.value }
        }
        try hub.start()
        #expect(try await phone.syncAll().waiting == 0)
      }
    }

    @Test func aCancelledJoinLeavesThePhoneAsItWasAndTheInvitationGood() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        let invite = try hub.invite("Chíu Sám Múi")
        hub.kill()
        do {
          let silent = try SilentHub(port: hub.port)
          let join = Task { try await phone.join(invite: invite) }
          await silent.heard()
          join.cancel()
          await #expect(throws: AppError.Offline(why: "stopped")) { try await join.value }
        }
        #expect(try await phone.phone.getState().owner == nil)
        try hub.start()
        try await phone.join(invite: invite)
        #expect(try await phone.phone.getState().owner != nil)
      }
    }

    @Test func aSaveOfACancelledTaskIsDoneAllTheSame() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let save = Task {
          withUnsafeCurrentTask { $0?.cancel() }
          return try await phone.log()
        }
        let saved = try await save.value
        #expect(try await phone.allVisits().map(\.visit) == [saved])
      }
    }

    @Test func aTaskCancelledBeforeItsCallAsksNothingOfTheHub() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        try await phone.log()
        let sync = Task {
          withUnsafeCurrentTask { $0?.cancel() }
          return try await phone.syncAll()
        }
        await #expect(throws: AppError.Offline(why: "stopped")) { try await sync.value }
        #expect(try await phone.phone.getState().unsent == 1)
      }
    }
  }
}
