import Foundation
import Langso
import TestPhones

/// A hub as a process of its own, with one team; killed at the end.
final class Hub: @unchecked Sendable {
  static let team = "Tổ thôn Ngàn Chi"

  let folder: URL
  private(set) var url = ""
  private var serving: Process?

  init() throws {
    folder = try emptyFolder()
    try admin("init")
    try admin(
      "team", "add", "--name", Hub.team, "--kind", "hamlet", "--unit", "06838", "--founded", "2024-01-01",
      "--hamlet", "Thôn Ngàn Chi:104")
    url = try serve("127.0.0.1:0")
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(at: folder)
  }

  var port: UInt16 { UInt16(url.split(separator: ":").last!)! }

  /// An invitation of a new member.
  func invite(_ name: String, role: String = "member") throws -> String {
    try admin("member", "add", "--team", Hub.team, "--name", name, "--role", role, "--from", "2024-01-01")
    let code = try admin("code", "--team", Hub.team, "--member", name, "--url", url, "--plain")
    return code.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The hub is gone, as by a power cut.
  func kill() {
    guard let serving else { return }
    Foundation.kill(serving.processIdentifier, SIGKILL)
    serving.waitUntilExit()
    self.serving = nil
  }

  /// And comes back: at the same address, or at another, which it gives.
  @discardableResult func start(elsewhere: Bool = false) throws -> UInt16 {
    let at = try serve(elsewhere ? "127.0.0.1:0" : "127.0.0.1:\(port)")
    return UInt16(at.split(separator: ":").last!)!
  }

  private func serve(_ listen: String) throws -> String {
    let process = Process()
    let out = Pipe()
    process.executableURL = URL(fileURLWithPath: langso)
    process.arguments = ["serve", "--json", "--log", "error", "--data", folder.path, "--listen", listen]
    process.standardOutput = out
    process.standardError = FileHandle.nullDevice
    try process.run()
    serving = process
    var line = Data()
    while let byte = try out.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
      line += byte
    }
    let told = try JSONSerialization.jsonObject(with: line) as? [String: Any]
    guard let address = told?["address"] as? String else {
      throw Failed("no address in \(String(decoding: line, as: UTF8.self))")
    }
    return address
  }

  @discardableResult private func admin(_ arguments: String...) throws -> String {
    try output(of: ["admin", "--at", folder.path] + arguments)
  }
}

/// The command line of the product.
let langso = ProcessInfo.processInfo.environment["LANGSO_LIBRARIES"]! + "/langso"

/// What it says.
func output(of arguments: [String]) throws -> String {
  let process = Process()
  let out = Pipe()
  process.executableURL = URL(fileURLWithPath: langso)
  process.arguments = arguments
  process.standardOutput = out
  try process.run()
  let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw Failed("\(arguments): \(text)") }
  return text
}

/// Runs a test with an open phone in a folder of its own.
func withPhone(
  isolation: isolated (any Actor)? = #isolation, _ test: (LangsoPhone, URL) async throws -> Void
) async throws {
  try await withFolder { folder in
    try await withPhoneIn(folder) { try await test($0, folder) }
  }
}

/// Opens the phone of a folder for some work.
func withPhoneIn(
  isolation: isolated (any Actor)? = #isolation, _ folder: URL, _ work: (LangsoPhone) async throws -> Void
) async throws {
  let phone = try await LangsoPhone.open(folder: folder.path)
  defer { phone.close() }
  try await work(phone)
}

/// Runs a test with a folder that is gone after it.
func withFolder(
  isolation: isolated (any Actor)? = #isolation, _ test: (URL) async throws -> Void
) async throws {
  let folder = try emptyFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try await test(folder)
}

extension LangsoPhone {
  func join(_ hub: Hub, _ name: String = "Chíu Sám Múi", role: String = "member") async throws {
    try await join(invite: hub.invite(name, role: role))
  }
}
