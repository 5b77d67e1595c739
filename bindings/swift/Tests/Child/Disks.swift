#if os(Linux)
  import Foundation
  import Langso
  import TestPhones

  /// Logs on a disk of its own until that is full, then with room again.
  func fillTheDisk(_ folder: String, invite: String) async throws {
    guard mount("tmpfs", folder, "tmpfs", 0, "size=16m") == 0 else { throw Failed("no disk: \(errno)") }
    let phone = try await LangsoPhone.open(folder: folder)
    try await phone.join(invite: invite)
    let filler = folder + "/filler"
    let free = try FileManager.default.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? Int ?? 0
    try Data(count: free - 256 * 1024).write(to: URL(fileURLWithPath: filler))
    var saved: Set<VisitId> = []
    do {
      while true { saved.insert(try await phone.log()) }
    } catch {
      say("\(error)")
    }
    say(try await phone.phone.getState().isStorageLow ? "low" : "not low")
    say(Set(try await phone.allVisits().map(\.visit)) == saved && saved.count > 1 ? "all there" : "not all there")
    try FileManager.default.removeItem(atPath: filler)
    saved.insert(try await phone.log())
    say("\(try await phone.syncAll().waiting) waiting")
    phone.close()
    let again = try await LangsoPhone.open(folder: folder)
    say(Set(try await again.allVisits().map(\.visit)) == saved ? "all there" : "not all there")
  }

  /// Reads and writes where nothing can be written.
  func lookOnly(_ folder: String) async throws {
    let again = UInt(MS_BIND) | UInt(MS_REMOUNT) | UInt(MS_RDONLY)
    guard mount(folder, folder, nil, UInt(MS_BIND), nil) == 0, mount(nil, folder, nil, again, nil) == 0 else {
      throw Failed("no disk that cannot be written: \(errno)")
    }
    let phone = try await LangsoPhone.open(folder: folder)
    say("\(try await phone.allVisits().count) visits")
    try await phone.log()
  }
#endif
