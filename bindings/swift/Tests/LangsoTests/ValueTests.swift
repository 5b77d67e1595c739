import Foundation
import Langso
import TestPhones
import Testing

extension OneByOne {
  /// Values come back as they went.
  @Suite struct ValueTests {
    @Test func vietnameseEmojiLongEmptyAndMissingTextComesBackAsItWent() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        func note(_ text: String?) async throws -> String? {
          try await phone.visits.getVisit(OfVisit(visit: phone.log(text))).note
        }
        // 4,080 bytes; a note holds 4,096.
        let long = String(repeating: "ề", count: 1_360)
        let longest = long + String(repeating: "a", count: 4_096 - long.utf8.count)
        for text in ["Nguyễn Trần Vĩnh Thụy Phương Uyên", "H’Mai Êban 👩🏽‍🌾👨‍👩‍👧‍👦", longest, nil] {
          #expect(try await note(text).map { Array($0.utf8) } == text.map { Array($0.utf8) })
        }
        #expect(try await note("") == nil)
        await #expect(throws: AppError.InvalidInput(field: "note", code: "too_long")) { try await note(longest + "a") }
      }
    }

    @Test func listsAndChoicesComeBackAsTheyWent() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let household = try await phone.household("Hộ Chẩu Thị Mẩy", hint: "nhà sàn, cạnh suối")
        let today = try await phone.phone.getState().today
        var new = visit(household: household, note: "hẹn thứ hai")
        new.date = today
        new.services.append(NewService(service: "sim_4g", outcome: 1))
        let saved = try await phone.visits.getVisit(OfVisit(visit: phone.visits.logVisit(new).visit))
        #expect(saved.household == household && saved.date == today && saved.note == "hẹn thứ hai")
        #expect(saved.services.map(\.service?.text) == ["vneid_level2@1", "sim_4g@1"])
        let held = try await phone.households.getHousehold(OfHousehold(household: household))
        #expect(held.label == "Hộ Chẩu Thị Mẩy" && held.hint == "nhà sàn, cạnh suối" && held.persons.isEmpty)
      }
    }

    @Test func aDayIsItsTextAndComesBeforeLaterOnes() {
      let day = Day("2026-03-02")
      #expect(day.components == DateComponents(year: 2026, month: 3, day: 2))
      #expect(day < Day("2026-11-01") && day == Day("2026-03-02") && "\(day)" == "2026-03-02")
      #expect(Day("tomorrow").components == DateComponents())
    }

    @Test func aHundredCallsAtOnceAreAHundredSaves() async throws {
      let hub = try Hub()
      try await withPhone { phone, _ in
        try await phone.join(hub)
        let hamlet = try await phone.hamlet()
        let saved = try await withThrowingTaskGroup(of: VisitId.self) { group in
          for _ in 0..<100 { group.addTask { try await phone.visits.logVisit(visit(hamlet: hamlet)).visit } }
          return try await group.reduce(into: Set<VisitId>()) { $0.insert($1) }
        }
        #expect(saved.count == 100)
        #expect(try await phone.phone.getState().unsent == 100)
        #expect(Set(try await phone.allVisits().map(\.visit)) == saved)
      }
    }
  }
}
