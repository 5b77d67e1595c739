import Langso
import LangsoFake
import Testing

/// A fake does what its documentation says, so that a test of a screen may rely on it.
@Suite(.timeLimit(.minutes(1))) struct FakeTests {
  let fake = FakeLangso()
  let book = Changed(sync: nil, receipts: false, book: true, shelf: false)
  let shelf = Changed(sync: nil, receipts: false, book: false, shelf: true)

  @Test func itAnswersWhatItIsGivenWithWhatItIsAskedAndNotesTheCall() async throws {
    fake.fakes.visits.onLogVisit = { new in
      SavedVisit(
        visit: VisitId(new.note ?? "none"), services: [], runs: [], followUps: [],
        receipt: Receipt(rung: .onPhone, position: nil, setAside: nil, isVoid: false),
        canTakeBackUntil: 0, isClockUnsure: false)
    }
    fake.fakes.sync.onStopSync = {}
    let langso: any Langso = fake
    #expect(try await langso.visits.logVisit(NewVisit(note: "hẹn thứ hai")).visit == VisitId("hẹn thứ hai"))
    try await langso.sync.stopSync()
    #expect(fake.calls == ["visits.logVisit", "sync.stopSync"] && fake.unanswered.isEmpty)
  }

  @Test func itThrowsTheErrorThatItIsGiven() async throws {
    fake.fakes.sync.onSyncNow = { _ in throw AppError.Offline(why: "hub_unreachable") }
    await #expect(throws: AppError.Offline(why: "hub_unreachable")) { try await fake.sync.syncNow(SyncNow()) }
  }

  @Test func aCallWithoutAnAnswerNamesItself() async throws {
    await #expect(throws: AppError.Unexpected(reason: "phone.getState was called and has no answer")) {
      try await fake.phone.getState()
    }
    // One that gives nothing is no other.
    await #expect(throws: AppError.Unexpected(reason: "sync.stopSync was called and has no answer")) {
      try await fake.sync.stopSync()
    }
    #expect(fake.unanswered == ["phone.getState", "sync.stopSync"] && fake.calls == fake.unanswered)
  }

  @Test func whatIsSaidReachesEveryLoopAndWhatASlowOneMissedComesInOne() async throws {
    let loops = [fake.changes, fake.changes]
    fake.say(book)
    fake.say(shelf)
    fake.close()
    for loop in loops {
      var heard: [Changed] = []
      for await changed in loop { heard.append(changed) }
      #expect(heard == [Changed(sync: nil, receipts: false, book: true, shelf: true)])
    }
  }

  @Test func aLoopThatWasLeftIsForgottenAndTheOthersGoOn() async throws {
    let other = fake.changes
    for _ in 0..<2 {
      let left = fake.changes
      fake.say(book)
      for await _ in left { break }
    }
    fake.say(shelf)
    var heard = other.makeAsyncIterator()
    #expect(await heard.next()?.shelf == true)
  }

  @Test func afterCloseLoopsEndAtOnceAndCallsAreRefused() async throws {
    fake.close()
    fake.close()
    #expect(fake.isClosed)
    for await _ in fake.changes { Issue.record("a closed phone tells") }
    await #expect(throws: AppError.Locked(why: "closed")) { try await fake.sync.stopSync() }
    #expect(fake.calls.isEmpty)
  }
}
