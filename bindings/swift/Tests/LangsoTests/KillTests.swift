import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// A process of the app that is killed in the middle of its work.
  @Suite struct KillTests {
    @Test func aProcessKilledWhileItSavesHasLostNothingThatItAcknowledged() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        try await enrol(folder, hub)
        var acknowledged: Set<String> = []
        for round in 0..<5 {
          let child = try Child(["log", folder.path])
          // The next save has begun when it is killed.
          for _ in 0..<3 + round {
            acknowledged.insert(String(try #require(try child.line()).dropFirst("saved ".count)))
          }
          child.kill()
        }
        let phone = try await LangsoPhone.open(folder: folder.path)
        let kept = Set(try await phone.allVisits().map(\.visit.text))
        #expect(acknowledged.count == 25)
        #expect(acknowledged.isSubset(of: kept))
        #expect(try await phone.phone.getState().unsent == kept.count)
        #expect(try await phone.syncAll().waiting == 0)
      }
    }

    @Test func aProcessKilledWhileTheHubAnswersItsSyncGoesOnWhereItWas() async throws {
      let hub = try Hub()
      try await withFolder { folder in
        try await enrol(folder, hub)
        var saved: Set<VisitId> = []
        try await withPhoneIn(folder) { phone in
          for _ in 0..<20 { saved.insert(try await phone.log()) }
        }
        hub.kill()
        let elsewhere = try hub.start(elsewhere: true)
        do {
          let between = try SilentHub(port: hub.port, passOnTo: elsewhere)
          let child = try Child(["sync", folder.path])
          #expect(try child.line() == "begins")
          // The hub has what was sent; the phone never hears so.
          await between.heard()
          child.kill()
        }
        hub.kill()
        try hub.start()
        try await withPhoneIn(folder) { phone in
          let unsent = try await phone.phone.getState().unsent
          #expect(unsent == 20)
          #expect(try await phone.syncAll().waiting == 0)
        }
        try await withPhone { other, _ in
          try await other.join(hub, "Hoàng Thị Đượm", role: "lead")
          let arrived = try await other.allVisits().map(\.visit)
          #expect(arrived.count == 20 && Set(arrived) == saved)
        }
      }
    }

    private func enrol(_ folder: URL, _ hub: Hub) async throws {
      try await withPhoneIn(folder) { try await $0.join(hub) }
    }
  }
}
