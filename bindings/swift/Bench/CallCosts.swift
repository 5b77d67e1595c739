import Foundation
import Langso

/// What calls cost an app: `FOLDER HAMLET ROUNDS`, of an enrolled phone with a book. Calls are made one after the other
/// from the main actor, as a screen makes them; as many rounds again go before, to warm up.
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
    var taken: [Durations] = []
    for round in 0..<2 * rounds {
      let one = Durations(
        households: try await time { _ = try await phone.households.listHouseholds(ListHouseholds()) },
        visits: try await time { _ = try await phone.visits.listVisits(FindVisits()) },
        log: try await time { _ = try await phone.visits.logVisit(visit) })
      if round >= rounds { taken.append(one) }
    }
    func median(_ of: KeyPath<Durations, Duration>) -> String {
      let middle = taken.map { $0[keyPath: of] }.sorted()[rounds / 2]
      return String(format: "%.1f", middle / .microseconds(1))
    }
    let (households, visits, log) = (median(\.households), median(\.visits), median(\.log))
    print(#"{"households_us":\#(households),"visits_us":\#(visits),"log_us":\#(log)}"#)
  }

  @MainActor private static func time(_ call: () async throws -> Void) async throws -> Duration {
    let begun = ContinuousClock.now
    try await call()
    return ContinuousClock.now - begun
  }
}

private struct Durations {
  let households: Duration
  let visits: Duration
  let log: Duration
}
