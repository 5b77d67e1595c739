import Foundation
import Langso

/// What calls cost an app: `FOLDER HAMLET ROUNDS`, of an enrolled phone with a book. Calls are made one after the other
/// from the main actor, as a screen makes them; as many of each go before, to warm up.
///
/// Prints the middle of each in microseconds, as one line of JSON.
@main struct CallCosts {
  @MainActor static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let rounds = Int(arguments[3]), rounds > 0 else {
      throw CocoaError(.formatting, userInfo: [NSLocalizedDescriptionKey: "\(arguments[0]) FOLDER HAMLET ROUNDS"])
    }
    let phone = try await LangsoPhone.open(folder: arguments[1])
    defer { phone.close() }
    let visit = NewVisit(
      hamlet: HamletId(arguments[2]), services: [NewService(service: "vneid_level2", outcome: 1)])
    // Pages follow each other, as when a list is scrolled: a save between them has the list read again.
    let households = try await middle(rounds) { _ = try await phone.households.listHouseholds(ListHouseholds()) }
    let visits = try await middle(rounds) { _ = try await phone.visits.listVisits(FindVisits()) }
    let log = try await middle(rounds) { _ = try await phone.visits.logVisit(visit) }
    print(#"{"households_us":\#(households),"visits_us":\#(visits),"log_us":\#(log)}"#)
  }

  @MainActor private static func middle(_ rounds: Int, _ call: () async throws -> Void) async throws -> String {
    var taken: [Duration] = []
    for round in 0..<2 * rounds {
      let begun = ContinuousClock.now
      try await call()
      if round >= rounds { taken.append(ContinuousClock.now - begun) }
    }
    return String(format: "%.1f", taken.sorted()[rounds / 2] / .microseconds(1))
  }
}
