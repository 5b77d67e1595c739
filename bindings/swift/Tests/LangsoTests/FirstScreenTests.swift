import Foundation
import Langso
import LangsoFake
import Testing

/// The first screen of the guide, tested as an app would test it.
@MainActor @Suite(.timeLimit(.minutes(1))) struct FirstScreenTests {
  let langso = FakeLangso()

  @available(iOS 17, macOS 14, *)
  @Test func itLoadsThenShowsThenFollowsWhatChanges() async throws {
    let model = model()
    #expect(model.waiting == nil)
    let following = Task { await model.follow() }
    await until { model.waiting == 3 }
    answer(2)
    langso.say(Changed(sync: nil, receipts: true, book: false, shelf: false))
    await until { model.waiting == 2 }
    langso.close()
    await following.value
    #expect(Set(langso.calls) == ["phone.getState"])
  }

  @available(iOS 17, macOS 14, *)
  @Test func sendingWithoutAHubSaysSoAndLosesNothing() async throws {
    let model = model()
    let following = Task { await model.follow() }
    await until { model.waiting == 3 }
    langso.fakes.sync.onSyncNow = { _ in throw AppError.Offline(why: "hub_unreachable") }
    await model.sendNow()
    #expect(model.error == .Offline(why: "hub_unreachable"))
    #expect(model.waiting == 3 && !model.isSending)
    following.cancel()
    await following.value
  }

  @available(iOS 17, macOS 14, *)
  @Test func sendingAgainTakesTheErrorAway() async throws {
    let model = model()
    langso.fakes.sync.onSyncNow = { _ in throw AppError.Offline(why: "hub_unreachable") }
    await model.sendNow()
    langso.fakes.sync.onSyncNow = { _ in
      SyncReport(bytesUp: 900, bytesDown: 300, requests: 1, waiting: 0, isDone: true)
    }
    await model.sendNow()
    #expect(model.error == nil && !model.isSending)
    #expect(langso.calls == ["sync.syncNow", "sync.syncNow"] && langso.unanswered.isEmpty)
  }

  @available(iOS 17, macOS 14, *)
  private func model() -> TodayModel {
    answer(3)
    return TodayModel(langso)
  }

  private func answer(_ unsent: UInt32) {
    langso.fakes.phone.onGetState = {
      PhoneState(
        device: DeviceId("0000000000000"), owner: nil, unsent: unsent, isClockSure: true, today: Day("2026-03-02"),
        damage: nil, isStorageLow: false, isReadOnly: false)
    }
  }

  private func until(_ isSo: () -> Bool) async { while !isSo() { await Task.yield() } }
}
