@_exported import LangsoCore

/// An open phone: the features, and word of what changes. One for each folder, held by the app, closed when it ends.
///
/// Every call may be made from any actor, the main one too: it suspends and runs elsewhere, one after the other. A save
/// that has begun is done though its task is cancelled; a call that waits for the hub ends then. Errors are ``AppError``.
public protocol Langso: Features {
  /// What has changed since it was last said, at most ten times a second; a loop that is slow gets what it missed in one.
  /// Says that something changed, never what: ask again. What is changed by a call made later is told. Ends when the
  /// phone is closed; leaving the loop lets go of it.
  var changes: AsyncStream<Changed> { get }

  /// Lets go of the folder as soon as the calls that run have ended: those that wait for the hub are cancelled first, and
  /// lose nothing. Takes some ms. Twice is as once. Calls made later end with `Locked` (`closed`).
  func close()
}

/// A phone on this machine. Closed at the latest when nobody holds it or one of its features any more.
public final class LangsoPhone: Langso, Sendable {
  let calls: Calls

  private init(_ calls: Calls) { self.calls = calls }

  /// Opens or makes the phone in a folder of the app's own. Takes some ms, or seconds after damage.
  ///
  /// Throws `Locked` while another process has the folder open (`open_elsewhere`), `OutdatedApp`, `StorageFull`.
  public static func open(folder: String) async throws(AppError) -> LangsoPhone {
    LangsoPhone(try await Calls.open(folder: folder))
  }

  public var changes: AsyncStream<Changed> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { calls.listen($0) }
  }

  public func close() { calls.close() }
}
