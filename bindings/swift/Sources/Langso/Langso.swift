import Foundation
@_exported import LangsoCore

/// An open phone: the features, and word of what changes. One for each folder, held by the app, closed when it ends.
///
/// Every call may be made from any actor, the main one too: it suspends and runs elsewhere. Errors are ``AppError``.
public protocol Langso: Features {
  /// What has changed since it was last said, at most ten times a second; only the newest is kept for a loop that is slow.
  /// Says that something changed, never what: ask again. Ends when the phone is closed.
  var changes: AsyncStream<Changed> { get }

  /// Lets go of the folder as soon as the calls that run have ended; a running sync is stopped first, and loses nothing.
  /// Twice is as once. Calls made later end with `Locked` (`closed`).
  func close()
}

/// A phone on this machine.
public final class LangsoPhone: Langso, Sendable {
  let calls: Calls

  private init(_ phone: Phone) { calls = Calls(phone) }

  deinit { calls.close() }

  /// Opens or makes the phone in a folder of the app's own. Takes some ms, or seconds after damage.
  ///
  /// Throws `Locked` while another process has the folder open (`open_elsewhere`), `OutdatedApp`, `StorageFull`.
  public static func open(folder: String) async throws(AppError) -> LangsoPhone {
    LangsoPhone(try await offThread { try Phone.open(folder: folder) })
  }

  public var changes: AsyncStream<Changed> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      calls.listen(continuation)
    }
  }

  public func close() { calls.close() }
}

/// How calls reach the core: off the caller's thread, with errors of one kind.
final class Calls: Sendable {
  private let state: Locked<State>

  private struct State {
    var phone: Phone?
    var listening: [Int: (AsyncStream<Changed>.Continuation, Watching)] = [:]
    var last = 0
  }

  init(_ phone: Phone) { state = Locked(State(phone: phone)) }

  /// A call that blocks for a save at most.
  func run<T: Sendable>(_ call: @escaping @Sendable (Phone) throws -> T) async throws(AppError) -> T {
    let phone = try opened()
    return try await offThread { try call(phone) }
  }

  /// A call that waits for the hub; cancelling the task ends it.
  func wait<T: Sendable>(
    _ call: @escaping @Sendable (Phone, Cancel) async throws -> T
  ) async throws(AppError) -> T {
    let phone = try opened()
    let cancel = Cancel()
    let result: Result<T, AppError> = await withTaskCancellationHandler {
      do { return .success(try await call(phone, cancel)) } catch { return .failure(ofOneKind(error)) }
    } onCancel: {
      cancel.cancel()
    }
    return try result.get()
  }

  func listen(_ continuation: AsyncStream<Changed>.Continuation) {
    guard let phone = state.with({ $0.phone }), let watching = try? phone.watch(listener: Teller(continuation)) else {
      continuation.finish()
      return
    }
    let number: Int? = state.with { state in
      guard state.phone != nil else { return nil }
      state.last += 1
      state.listening[state.last] = (continuation, watching)
      return state.last
    }
    guard let number else {
      continuation.finish()
      return
    }
    continuation.onTermination = { [state] _ in _ = state.with { $0.listening.removeValue(forKey: number) } }
  }

  func close() {
    let (phone, listening) = state.with { state in
      defer { (state.phone, state.listening) = (nil, [:]) }
      return (state.phone, state.listening)
    }
    try? phone?.syncStopSync()
    for (continuation, _) in listening.values { continuation.finish() }
  }

  private func opened() throws(AppError) -> Phone {
    guard let phone = state.with({ $0.phone }) else { throw AppError.Locked(why: "closed") }
    return phone
  }
}

private final class Teller: Listener {
  private let continuation: AsyncStream<Changed>.Continuation

  init(_ continuation: AsyncStream<Changed>.Continuation) { self.continuation = continuation }

  func changed(changed: Changed) { continuation.yield(changed) }
}

/// Where calls that block run: they wait for the disk, and the pool of Swift's own tasks must not.
private let queue = DispatchQueue(label: "langso.calls", attributes: .concurrent)

func offThread<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws(AppError) -> T {
  let result: Result<T, AppError> = await withCheckedContinuation { continuation in
    queue.async {
      do { continuation.resume(returning: .success(try call())) } catch {
        continuation.resume(returning: .failure(ofOneKind(error)))
      }
    }
  }
  return try result.get()
}

/// Errors of the crossing itself become errors of the core.
private func ofOneKind(_ error: any Error) -> AppError {
  error as? AppError ?? .Unexpected(reason: "crossing")
}

/// A value and its lock.
final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func with<T>(_ body: (inout Value) -> T) -> T {
    lock.lock()
    defer { lock.unlock() }
    return body(&value)
  }
}
