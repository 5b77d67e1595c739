import Foundation
import Langso

package struct Failed: Error {
  package let what: String

  package init(_ what: String) { self.what = what }
}

package func emptyFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("langso-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

package func visit(
  household: HouseholdId? = nil, hamlet: HamletId? = nil, note: String? = nil, token: String? = nil
) -> NewVisit {
  NewVisit(
    household: household, hamlet: hamlet, note: note, services: [NewService(service: "vneid_level2", outcome: 1)],
    token: token)
}

extension Langso {
  package func join(invite: String) async throws {
    _ = try await enrolment.joinTeam(InviteText(invite: invite, deviceName: "iPhone"))
    try await syncAll()
  }

  @discardableResult package func syncAll() async throws(AppError) -> SyncReport { try await sync.syncNow(SyncNow()) }

  package func hamlet() async throws -> HamletId { try await units.listHamlets().hamlets[0].hamlet }

  @discardableResult package func log(_ note: String? = nil) async throws -> VisitId {
    try await visits.logVisit(visit(hamlet: hamlet(), note: note)).visit
  }

  package func household(_ label: String, hint: String? = nil) async throws -> HouseholdId {
    let consent = GivenConsent(text: try await consents.getScript(GetScript()).text, way: 1)
    return try await households.createHousehold(
      NewHousehold(label: label, hint: hint, hamlet: hamlet(), consent: consent)
    ).household
  }

  /// Every visit of the phone's book.
  package func allVisits() async throws -> [VisitLine] {
    var all: [VisitLine] = []
    while true {
      let page = try await visits.listVisits(FindVisits(skip: UInt32(all.count)))
      all += page.visits
      if !page.hasMore { return all }
    }
  }
}
