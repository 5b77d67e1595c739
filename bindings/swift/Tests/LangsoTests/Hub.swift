import Foundation
import Langso

/// A hub as a process of its own, with one team; killed at the end.
final class Hub: @unchecked Sendable {
  static let team = "Tổ thôn Ngàn Chi"
  static let program = ProcessInfo.processInfo.environment["LANGSO_LIBRARIES"]! + "/langso"

  let folder: URL
  private(set) var url = ""
  private var serving: Process?

  init() throws {
    folder = try emptyFolder()
    try admin("init")
    try admin(
      "team", "add", "--name", Hub.team, "--kind", "hamlet", "--unit", "06838", "--founded", "2024-01-01",
      "--hamlet", "Thôn Ngàn Chi:104")
    let line = try serve("127.0.0.1:0")
    let told = try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
    url = told["address"] as! String
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(at: folder)
  }

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

  /// And comes back at the same address.
  func start() throws { _ = try serve(String(url.dropFirst("http://".count))) }

  private func serve(_ listen: String) throws -> String {
    let (process, line) = try firstLine([
      "serve", "--json", "--log", "error", "--data", folder.path, "--listen", listen,
    ])
    serving = process
    return line
  }

  @discardableResult func admin(_ arguments: String...) throws -> String {
    let process = Process()
    let out = Pipe()
    process.executableURL = URL(fileURLWithPath: Hub.program)
    process.arguments = ["admin", "--at", folder.path] + arguments
    process.standardOutput = out
    try process.run()
    let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(what: "\(arguments): \(text)") }
    return text
  }

  private func firstLine(_ arguments: [String]) throws -> (Process, String) {
    let process = Process()
    let out = Pipe()
    process.executableURL = URL(fileURLWithPath: Hub.program)
    process.arguments = arguments
    process.standardOutput = out
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try out.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
    return (process, String(decoding: line, as: UTF8.self))
  }
}

struct Failed: Error { let what: String }

func emptyFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("langso-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Runs a test with an open phone in a folder of its own.
func withPhone(_ test: (LangsoPhone, URL) async throws -> Void) async throws {
  let folder = try emptyFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let phone = try await LangsoPhone.open(folder: folder.path)
  defer { phone.close() }
  try await test(phone, folder)
}

extension LangsoPhone {
  func join(_ hub: Hub, _ name: String, role: String = "member") async throws {
    _ = try await enrolment.joinTeam(InviteText(invite: hub.invite(name, role: role), deviceName: "iPhone"))
    try await syncAll()
  }

  @discardableResult func syncAll() async throws -> SyncReport { try await sync.syncNow(SyncNow()) }

  func log(_ note: String? = nil) async throws -> VisitId {
    let hamlet = try await units.listHamlets().hamlets[0].hamlet
    return try await visits.logVisit(visit(hamlet: hamlet, note: note)).visit
  }
}

func visit(hamlet: HamletId, note: String? = nil) -> NewVisit {
  NewVisit(hamlet: hamlet, note: note, services: [NewService(service: "vneid_level2", outcome: 1)])
}
