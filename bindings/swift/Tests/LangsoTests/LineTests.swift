import Foundation
import Langso
import LangsoFake
import Testing

/// The whole line and what an app may rely on, against a real hub.
@Suite(.serialized) struct LineTests {
  @Test func aVisitLoggedWhileTheHubIsGoneArrivesLaterAndItsReceiptClimbs() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      try await phone.join(hub, "Chíu Sám Múi")
      hub.kill()
      let saved = try await phone.log()
      #expect(try await phone.visits.getVisit(OfVisit(visit: saved)).receipt.rung == .onPhone)
      try hub.start()
      let report = try await phone.syncAll()
      #expect(report.isDone && report.waiting == 0)
      #expect(try await phone.visits.getVisit(OfVisit(visit: saved)).receipt.rung == .atHub)
    }
  }

  @Test func textComesBackAsItWent() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      try await phone.join(hub, "Chíu Sám Múi")
      let texts = ["Nguyễn Trần Vĩnh Thụy Phương Uyên", "H’Mai Êban 👩🏽‍🌾", String(repeating: "ề", count: 1_360), nil]
      for text in texts {
        let visit = try await phone.log(text)
        #expect(try await phone.visits.getVisit(OfVisit(visit: visit)).note == text)
      }
    }
  }

  @Test func aHundredCallsAtOnceAreAHundredSaves() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      try await phone.join(hub, "Chíu Sám Múi")
      let hamlet = try await phone.units.listHamlets().hamlets[0].hamlet
      let saved = try await withThrowingTaskGroup(of: VisitId.self) { group in
        for _ in 0..<100 { group.addTask { try await phone.visits.logVisit(visit(hamlet: hamlet)).visit } }
        return try await group.reduce(into: Set<VisitId>()) { $0.insert($1) }
      }
      #expect(saved.count == 100)
      #expect(try await phone.phone.getState().unsent == 100)
    }
  }

  @Test func afterCloseEveryCallSaysSoAndTheFolderIsFree() async throws {
    let folder = try emptyFolder()
    let phone = try await LangsoPhone.open(folder: folder.path)
    phone.close()
    phone.close()
    await #expect(throws: AppError.Locked(why: "closed")) { try await phone.phone.getState() }
    let again = try await LangsoPhone.open(folder: folder.path)
    _ = try await again.phone.getState()
    again.close()
  }

  @Test func oneFolderIsOpenOnce() async throws {
    try await withPhone { _, folder in
      await #expect(throws: AppError.Locked(why: "open_elsewhere")) { try await LangsoPhone.open(folder: folder.path) }
    }
  }

  @Test func errorsAreOneTypeAndNameTheirCondition() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      await #expect(throws: AppError.NotAllowed(why: "not_enrolled")) { try await phone.visits.logVisit(NewVisit()) }
      try await phone.join(hub, "Chíu Sám Múi")
      let nobody = OfHousehold(household: HouseholdId(String(repeating: "0", count: 20)))
      await #expect(throws: AppError.NotFound) { try await phone.households.getHousehold(nobody) }
      await #expect(throws: AppError.InvalidInput(field: "services", code: "missing")) {
        try await phone.visits.logVisit(NewVisit())
      }
      // Not an id at all: nothing is asked of the core.
      await #expect(throws: AppError.Unexpected(reason: "crossing")) {
        try await phone.households.getHousehold(OfHousehold(household: HouseholdId("Hộ 12")))
      }
    }
  }

  @Test func aListenerHearsOfASave() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      try await phone.join(hub, "Chíu Sám Múi")
      let heard = Task { for await changed in phone.changes where changed.book { return true }; return false }
      let saving = Task { while !Task.isCancelled { _ = try await phone.log() } }
      #expect(await heard.value)
      saving.cancel()
      _ = await saving.result
    }
  }

  @Test func aCancelledSyncEndsAndTheNextOneEndsWell() async throws {
    let hub = try Hub()
    try await withPhone { phone, _ in
      try await phone.join(hub, "Chíu Sám Múi")
      _ = try await phone.log()
      let sync = Task { try await phone.syncAll() }
      sync.cancel()
      // It ended well, or was stopped.
      do { _ = try await sync.value } catch let error as AppError { #expect(error == .Offline(why: "stopped")) }
      #expect(try await phone.syncAll().isDone)
    }
  }
}

@Suite struct FakeTests {
  @Test func aFakeAnswersWhatItIsGivenAndNotesWhatItWasAsked() async throws {
    let fake = FakeLangso()
    fake.fakes.sync.onStopSync = { () async throws(AppError) in }
    let langso: any Langso = fake
    try await langso.sync.stopSync()
    #expect(fake.calls == ["sync.stopSync"])
    await #expect(throws: AppError.self) { try await langso.phone.getState() }
  }
}
