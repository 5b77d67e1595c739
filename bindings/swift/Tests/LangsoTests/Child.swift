import Foundation
import TestPhones

/// The package in a process of its own, that a test may kill. What it does is in `Tests/Child`.
final class Child {
  private let process = Process()
  private let out = Pipe()

  /// With mounts of its own, it may put another disk under a folder, and nobody else sees it.
  init(_ arguments: [String], hasOwnMounts: Bool = false) throws {
    let program = Bundle.main.bundleURL.appendingPathComponent("langso-child").path
    let whole = hasOwnMounts ? ["unshare", "--mount", "--map-root-user", program] : [program]
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Root needs no other name to mount, and in a folder as root it would get none.
    process.arguments = whole.filter { geteuid() != 0 || $0 != "--map-root-user" } + arguments
    // What is in use is counted, and what a thread keeps for itself when it is freed would pass for that.
    process.environment = ProcessInfo.processInfo.environment
      .merging(["GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"]) { $1 }
    process.standardOutput = out
    try process.run()
  }

  /// Its next line; none when it has ended.
  func line() throws -> String? {
    var line = Data()
    while let byte = try out.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
      if byte == Data("\n".utf8) { return String(decoding: line, as: UTF8.self) }
      line += byte
    }
    return nil
  }

  /// As by a power cut.
  func kill() {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Every line of one that ends by itself.
  static func lines(_ arguments: [String], hasOwnMounts: Bool = false) throws -> [String] {
    let child = try Child(arguments, hasOwnMounts: hasOwnMounts)
    var lines: [String] = []
    while let line = try child.line() { lines.append(line) }
    child.process.waitUntilExit()
    guard child.process.terminationStatus == 0 else { throw Failed("\(arguments): \(lines)") }
    return lines
  }
}
