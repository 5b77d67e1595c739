import Foundation
import Langso

/// A phone for tests of screens: answers what it is given to answer and notes what it was asked.
///
///     let langso = FakeLangso()
///     langso.fakes.today.onGetDay = { aDay }
public final class FakeLangso: Langso, @unchecked Sendable {
  /// What each feature answers.
  public let fakes: FakeSet
  let log = CallLog()
  private let said = Said()

  public init() { fakes = FakeSet(log: log) }

  /// The names of every call so far.
  public var calls: [String] { log.names }

  /// Whether it was closed.
  public var isClosed: Bool { said.isClosed }

  public var changes: AsyncStream<Changed> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { said.add($0) }
  }

  /// Says to those who listen that something has changed.
  public func say(_ changed: Changed) { said.say(changed) }

  public func close() { said.close() }
}

/// What was asked.
public final class CallLog: @unchecked Sendable {
  private let lock = NSLock()
  private var noted: [String] = []

  var names: [String] { lock.withLock { noted } }

  func note(_ name: String) { lock.withLock { noted.append(name) } }

  func unanswered(_ name: String) -> AppError {
    .Unexpected(reason: "\(name) was called and has no answer")
  }
}

private final class Said: @unchecked Sendable {
  private let lock = NSLock()
  private var listening: [AsyncStream<Changed>.Continuation] = []
  private var closed = false

  var isClosed: Bool { lock.withLock { closed } }

  func add(_ continuation: AsyncStream<Changed>.Continuation) {
    lock.withLock { listening.append(continuation) }
  }

  func say(_ changed: Changed) {
    for continuation in lock.withLock({ listening }) { continuation.yield(changed) }
  }

  func close() {
    let all = lock.withLock {
      closed = true
      return listening
    }
    for continuation in all { continuation.finish() }
  }
}
