import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// Each of the nine conditions, as an app meets it.
  @Suite struct ErrorTests {
    @Test func offlineWhenTheHubIsGone() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        hub.kill()
        do {
          try await phone.syncAll()
          Issue.record("the hub is gone")
        } catch let error as AppError { #expect(words(error) == "offline: hub_unreachable") }
      }
    }

    @Test func notFoundNotAllowedAndInvalidInputNameWhatIsWrong() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        await #expect(throws: AppError.NotAllowed(why: "not_enrolled")) { try await phone.visits.logVisit(NewVisit()) }
        try await phone.join(hub)
        let nobody = OfHousehold(household: HouseholdId(String(repeating: "0", count: 20)))
        await #expect(throws: AppError.NotFound) { try await phone.households.getHousehold(nobody) }
        await #expect(throws: AppError.InvalidInput(field: "services", code: "missing")) {
          try await phone.visits.logVisit(NewVisit())
        }
      }
    }

    @Test func invalidInputNamesATextThatIsNoId() async throws {
      try await withPhone { phone, _ in
        await #expect(throws: AppError.InvalidInput(field: "household", code: "wrong_type")) {
          try await phone.households.getHousehold(OfHousehold(household: HouseholdId("Hộ 12")))
        }
      }
    }

    @Test func unexpectedWhereAFolderIsAFile() async throws {
      try await withFolder { folder in
        let file = folder.appendingPathComponent("book").path
        try Data().write(to: URL(fileURLWithPath: file))
        await #expect(throws: AppError.Unexpected(reason: "file: entity already exists")) {
          try await LangsoPhone.open(folder: file)
        }
      }
    }

    @Test func outdatedAppForTheBookOfANewerOneWhichIsLeftAsItIs() async throws {
      try await withFolder { folder in
        try await withPhoneIn(folder) { _ = try await $0.phone.getState() }
        let file = folder.appendingPathComponent("phone.db")
        var book = try Data(contentsOf: file)
        // SQLite's header holds the version of the schema, its lowest byte here.
        book[63] += 1
        try book.write(to: file)
        await #expect(throws: AppError.OutdatedApp) { try await LangsoPhone.open(folder: folder.path) }
        #expect(try Data(contentsOf: file) == book)
      }
    }

    @Test func corruptWhenTheMendedBookIsDamagedAgainAndWhatWasSavedIsStillThere() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        var saved: Set<VisitId> = []
        try await withPhoneIn(folder) { phone in
          try await phone.join(hub)
          for _ in 0..<3 { saved.insert(try await phone.log()) }
        }
        try damage(folder)
        try await withPhoneIn(folder) { phone in
          let found = try await phone.phone.getState().damage
          #expect(found?.what == ["database"])
        }
        // Not a second copy of it before a sync has fetched what was in the first.
        try await withPhoneIn(folder) { phone in
          try damage(folder)
          await #expect(throws: AppError.Corrupt) { try await phone.allVisits() }
        }
        try await withPhoneIn(folder) { phone in
          let kept = Set(try await phone.allVisits().map(\.visit))
          #expect(kept == saved)
          #expect(try await phone.syncAll().waiting == 0)
          #expect(try await phone.phone.getState().damage == nil)
        }
      }
    }

    @Test func lockedWhileAnotherProcessHasTheFolderOpen() async throws {
      try await withPhone { _, folder in
        let told = try Child.lines(["state", folder.path])
        #expect(told == [#"Locked(why: "open_elsewhere")"#])
        await #expect(throws: AppError.Locked(why: "open_elsewhere")) {
          try await LangsoPhone.open(folder: folder.path)
        }
      }
    }

    /// As an app says it: every condition has words, and the compiler says when one is new.
    private func words(_ error: AppError) -> String {
      switch error {
      case .Offline(let why): "offline: \(why)"
      case .NotFound: "not found"
      case .OutdatedApp: "outdated"
      case .StorageFull: "full"
      case .NotAllowed(let why): "not allowed: \(why)"
      case .InvalidInput(let field, let code): "\(field): \(code)"
      case .Corrupt: "damaged"
      case .Locked(let why): "locked: \(why)"
      case .Unexpected(let reason): "a fault of ours: \(reason)"
      }
    }

    /// All pages but the first, in place.
    private func damage(_ folder: URL) throws {
      let file = try FileHandle(forUpdating: folder.appendingPathComponent("phone.db"))
      let size = try file.seekToEnd()
      try file.seek(toOffset: 4096)
      try file.write(contentsOf: Data(repeating: 0xFF, count: Int(size) - 4096))
      try file.close()
    }
  }

}

#if os(Linux)
  extension OneByOne {
    /// Disks of their own.
    @Suite struct DiskErrorTests {
      @Test func storageFullWhenTheDiskIsAndNothingSavedIsLostAndThePhoneGoesOnWithRoom() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          let told = try Child.lines(["full", folder.path, hub.invite("Chíu Sám Múi")], hasOwnMounts: true)
          #expect(told == ["StorageFull", "low", "all there", "0 waiting", "all there"])
        }
      }

      @Test func lockedWhereNothingCanBeWrittenAndTheBookCanBeRead() async throws {
        let hub = try Hub()
        try await withFolder { folder in
          try await withPhoneIn(folder) { phone in
            try await phone.join(hub)
            try await phone.log()
          }
          let told = try Child.lines(["read-only", folder.path], hasOwnMounts: true)
          #expect(told == ["1 visits", #"Locked(why: "folder_read_only")"#])
        }
      }
    }
  }
#endif
