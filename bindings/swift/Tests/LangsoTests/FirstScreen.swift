import Langso
import Observation

// first screen
@available(iOS 17, macOS 14, *)
@MainActor @Observable final class TodayModel {
  /// Visits that are on this phone only; none while it loads.
  private(set) var waiting: UInt32?
  /// What went wrong last, in words of the app. Nothing is lost: what was shown stays.
  private(set) var error: AppError?
  private(set) var isSending = false
  private let langso: any Langso

  init(_ langso: any Langso) { self.langso = langso }

  /// For as long as the screen is shown: `.task { await model.follow() }`.
  func follow() async {
    let changes = langso.changes
    await show()
    for await _ in changes { await show() }
  }

  func sendNow() async {
    (isSending, error) = (true, nil)
    do { _ = try await langso.sync.syncNow(SyncNow()) } catch { self.error = error }
    isSending = false
  }

  private func show() async {
    do { waiting = try await langso.phone.getState().unsent } catch { self.error = error }
  }
}
// end of first screen
