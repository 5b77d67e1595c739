import Foundation
import Langso

/// A phone for tests of screens: answers what it is given to answer and notes what it was asked.
///
///     let langso = FakeLangso()
///     langso.fakes.today.onGetDay = { aDay }
///     langso.fakes.sync.onSyncNow = { _ in throw AppError.Offline(why: "hub_unreachable") }
///
/// A call without an answer ends with `Unexpected`, which names it, and is noted in ``unanswered``.
public final class FakeLangso: Langso, @unchecked Sendable {
  /// What each feature answers.
  public let fakes: FakeSet
  private let log = CallLog()
  private let listening = Listening()

  public init() { fakes = FakeSet(log: log) }

  /// The names of every call so far.
  public var calls: [String] { log.names }

  /// The names of those that had no answer: none in a good test.
  public var unanswered: [String] { log.unansweredNames }

  /// Whether it was closed.
  public var isClosed: Bool { listening.isClosed }

  public var changes: AsyncStream<Changed> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { listening.add($0) }
  }

  /// Says to those who listen that something has changed.
  public func say(_ changed: Changed) { listening.say(changed) }

  /// As of a phone: who listens hears the end, and calls made later end with `Locked` (`closed`).
  public func close() {
    log.close()
    listening.close()
  }
}

/// What was asked.
final class CallLog: @unchecked Sendable {
  private let lock = NSLock()
  private var noted: [String] = []
  private var notAnswered: [String] = []
  private var isClosed = false

  var names: [String] { lock.withLock { noted } }

  var unansweredNames: [String] { lock.withLock { notAnswered } }

  func close() { lock.withLock { isClosed = true } }

  func answer<T>(_ name: String, _ answer: () async throws -> T) async throws(AppError) -> T {
    let isLate = lock.withLock {
      if !isClosed { noted.append(name) }
      return isClosed
    }
    if isLate { throw .Locked(why: "closed") }
    do { return try await answer() } catch let error as AppError { throw error } catch is Unanswered {
      lock.withLock { notAnswered.append(name) }
      throw .Unexpected(reason: "\(name) was called and has no answer")
    } catch { throw .Unexpected(reason: "\(name): \(error)") }
  }
}

/// What a call without an answer ends with.
struct Unanswered: Error {}

private final class Listening: @unchecked Sendable {
  private let lock = NSLock()
  private var continuations: [Int: AsyncStream<Changed>.Continuation] = [:]
  private var last = 0
  private var closed = false

  var isClosed: Bool { lock.withLock { closed } }

  func add(_ continuation: AsyncStream<Changed>.Continuation) {
    let number: Int? = lock.withLock {
      if closed { return nil }
      last += 1
      continuations[last] = continuation
      return last
    }
    guard let number else { return continuation.finish() }
    continuation.onTermination = { [weak self] _ in self?.forget(number) }
  }

  func say(_ changed: Changed) {
    for continuation in lock.withLock({ continuations }).values { continuation.tell(changed) }
  }

  func close() {
    let all = lock.withLock {
      closed = true
      defer { continuations = [:] }
      return continuations
    }
    for continuation in all.values { continuation.finish() }
  }

  private func forget(_ number: Int) { _ = lock.withLock { continuations.removeValue(forKey: number) } }
}
