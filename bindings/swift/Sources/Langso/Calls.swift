import Foundation
internal import LangsoCalls
import LangsoCore

/// How calls reach the core: off the caller's thread, in the order in which they were made, with errors of one kind.
///
/// What runs for a call holds the state alone, never this: a phone that is dropped is closed then and there.
final class Calls: Sendable {
  private let state: Locked<State>
  /// Where calls run that wait for the disk: the pool of Swift's own tasks must not. Inside a phone they run one after
  /// the other anyway.
  private let queue: DispatchQueue

  private init(_ phone: Phone, _ queue: DispatchQueue) { (state, self.queue) = (Locked(State(phone: phone)), queue) }

  deinit { close() }

  static func open(folder: String) async throws(AppError) -> Calls {
    let queue = DispatchQueue(label: "langso.calls")
    return try await off(queue) { Calls(try Phone.open(folder: folder), queue) }
  }

  /// A call that blocks for a save at most.
  func run<T: Sendable>(_ call: @escaping @Sendable (Phone) throws -> T) async throws(AppError) -> T {
    try await off(queue) { [state] in try call(state.opened()) }
  }

  /// A call that waits for the hub; cancelling the task ends it, and so does closing the phone.
  func wait<T: Sendable>(
    _ call: @escaping @Sendable (Phone, Cancel) async throws -> T
  ) async throws(AppError) -> T {
    let cancel = Cancel()
    // On the queue, after the calls that were made before it.
    let number = try await off(queue) { [state] in try state.wait(cancel) }
    let result: Result<T, AppError> = await withTaskCancellationHandler {
      do { return .success(try await call(state.opened(), cancel)) } catch { return .failure(ofOneKind(error)) }
    } onCancel: {
      cancel.cancel()
    }
    state.with { $0.waiting[number] = nil }
    return try result.get()
  }

  func listen(_ continuation: AsyncStream<Changed>.Continuation) {
    guard let number = state.listen(continuation) else { return continuation.finish() }
    continuation.onTermination = { [state] _ in _ = state.with { $0.listening.removeValue(forKey: number) } }
    // The core looks at its book first, which may have to wait for another call.
    queue.async { [state] in state.watch(number, continuation) }
  }

  func close() {
    let last = state.with { state in
      defer { state = State(phone: nil) }
      return state
    }
    for cancel in last.waiting.values { cancel.cancel() }
    for listening in last.listening.values { listening.continuation.finish() }
  }
}

/// An open phone and what goes on with it.
private struct State {
  /// None once it is closed.
  var phone: Phone?
  var waiting: [Int: Cancel] = [:]
  var listening: [Int: Listening] = [:]
  var last = 0

  /// None when it is closed.
  mutating func next() -> Int? {
    guard phone != nil else { return nil }
    last += 1
    return last
  }
}

private struct Listening {
  let continuation: AsyncStream<Changed>.Continuation
  /// None until the core knows of it.
  var watching: Watching?
}

extension Locked<State> {
  fileprivate func opened() throws(AppError) -> Phone {
    guard let phone = with({ $0.phone }) else { throw .Locked(why: "closed") }
    return phone
  }

  fileprivate func wait(_ cancel: Cancel) throws(AppError) -> Int {
    let number = with { state in
      let number = state.next()
      if let number { state.waiting[number] = cancel }
      return number
    }
    guard let number else { throw .Locked(why: "closed") }
    return number
  }

  fileprivate func listen(_ continuation: AsyncStream<Changed>.Continuation) -> Int? {
    with { state in
      let number = state.next()
      if let number { state.listening[number] = Listening(continuation: continuation) }
      return number
    }
  }

  fileprivate func watch(_ number: Int, _ continuation: AsyncStream<Changed>.Continuation) {
    guard with({ $0.listening[number] != nil }), let phone = try? opened() else { return }
    guard let watching = try? phone.watch(listener: Teller(continuation)) else { return continuation.finish() }
    // Let go of here when nobody listens any more.
    with { $0.listening[number]?.watching = watching }
  }
}

/// Gives what the core tells over to a loop.
private final class Teller: Listener {
  private let continuation: AsyncStream<Changed>.Continuation

  init(_ continuation: AsyncStream<Changed>.Continuation) { self.continuation = continuation }

  func changed(changed: Changed) { continuation.tell(changed) }
}

extension AsyncStream<Changed>.Continuation {
  /// Tells a loop; what it has not taken yet comes with it.
  package func tell(_ changed: Changed) {
    if case .dropped(let missed) = yield(changed) { yield(changed.after(missed)) }
  }
}

extension Changed {
  fileprivate func after(_ missed: Changed) -> Changed {
    Changed(
      sync: sync ?? missed.sync, receipts: receipts || missed.receipts, book: book || missed.book,
      shelf: shelf || missed.shelf)
  }
}

/// Runs a call on a queue. What it did with the phone is over before the caller goes on: a phone closed then is closed.
private func off<T: Sendable>(
  _ queue: DispatchQueue, _ call: @escaping @Sendable () throws -> T
) async throws(AppError) -> T {
  let result: Result<T, AppError> = await withCheckedContinuation { continuation in
    queue.async { continuation.resume(returning: ended(call)) }
  }
  return try result.get()
}

private func ended<T>(_ call: () throws -> T) -> Result<T, AppError> {
  do { return .success(try call()) } catch { return .failure(ofOneKind(error)) }
}

/// Errors of the crossing itself become errors of the core.
private func ofOneKind(_ error: any Error) -> AppError {
  error as? AppError ?? .Unexpected(reason: "crossing")
}

/// A value and its lock.
private final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func with<T>(_ body: (inout Value) -> T) -> T {
    lock.lock()
    defer { lock.unlock() }
    return body(&value)
  }
}
