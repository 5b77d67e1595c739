import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// The whole line: enrol, log without a hub, sync, receipts, conflicts, figures.
  @Suite struct LineTests {
    @Test func aVisitLoggedWhileTheHubIsGoneArrivesLaterAndItsReceiptClimbs() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        hub.kill()
        let saved = try await phone.log()
        #expect(try await phone.visits.getVisit(OfVisit(visit: saved)).receipt.rung == .onPhone)
        try hub.start()
        let report = try await phone.syncAll()
        #expect(report.isDone && report.waiting == 0)
        #expect(try await phone.visits.getVisit(OfVisit(visit: saved)).receipt.rung == .atHub)
      }
    }

    @Test func aVisitOfOnePhoneShowsOnTheOtherAndAFigureOpensDownToIt() async throws {
      let hub = try Hub()
      try await withPhone { one, _ in
        try await withPhone { two, _ in
          try await one.join(hub)
          try await two.join(hub, "Hoàng Thị Đượm", role: "lead")
          let visit = try await one.log()
          try await one.syncAll()
          try await two.syncAll()
          let asked = Asked(period: try await one.phone.getState().today.text.prefix(4) + "-Y")
          let figures = try await two.figures.listFigures(asked).activity
          let row = try #require(figures.first { $0.lines > 0 })
          let lines = try await two.figures.listFigureLines(FindLines(indicator: row.indicator, asked: asked)).lines
          #expect(lines.contains { $0.visit == visit })
        }
      }
    }

    @Test func twoHintsOfOneHouseholdAreAConflictAndTheLeadSettlesItWithOneChange() async throws {
      let hub = try Hub()
      try await withPhone { one, _ in
        try await withPhone { lead, _ in
          try await one.join(hub)
          try await lead.join(hub, "Hoàng Thị Đượm", role: "lead")
          let household = try await one.household("Hộ 12", hint: "cạnh nhà văn hóa")
          try await one.syncAll()
          try await lead.syncAll()
          _ = try await one.households.updateHousehold(
            UpdateHousehold(household: household, hint: .set(value: "cạnh trường")))
          _ = try await lead.households.updateHousehold(
            UpdateHousehold(household: household, hint: .set(value: "đầu dốc")))
          try await one.syncAll()
          try await lead.syncAll()
          let conflicts = try await lead.conflicts.listConflicts(FindConflicts()).conflicts
          #expect(conflicts.count == 1)
          let conflict = try #require(conflicts.first)
          #expect(conflict.versions.count == 2)
          let kept = try #require(conflict.versions.first { $0.value == .text(value: "cạnh trường") })
          _ = try await lead.conflicts.settleConflict(
            SettleConflict(conflict: conflict.key, keep: kept.value, seen: conflict.versions.map(\.version)))
          try await lead.syncAll()
          try await one.syncAll()
          #expect(try await one.conflicts.listConflicts(FindConflicts()).conflicts.isEmpty)
          #expect(try await one.households.getHousehold(OfHousehold(household: household)).hint == "cạnh trường")
        }
      }
    }

    @Test func aCorrectionSetsClearsAndLeavesAlone() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let visit = try await phone.log("đã hẹn")
        func note(after edit: EditText?) async throws -> String? {
          _ = try await phone.visits.correctVisit(CorrectVisit(visit: visit, reason: 1, note: edit))
          return try await phone.visits.getVisit(OfVisit(visit: visit)).note
        }
        #expect(try await note(after: nil) == "đã hẹn")
        #expect(try await note(after: .set(value: "đã xong")) == "đã xong")
        #expect(try await note(after: .clear) == nil)
        #expect(try await !phone.visits.getVisit(OfVisit(visit: visit)).isStruckOut)
      }
    }
  }
}
