// Ids, dates and codes: each its text, and a type of its own, so that a person's id does not pass for a household's.
// The core refuses text that is none of the kind with an error; nothing is done then.

import Foundation

/// A row of `households`: 20 characters.
public struct HouseholdId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `persons`: 20 characters.
public struct PersonId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `consents`: 20 characters.
public struct ConsentId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `contacts`: 20 characters.
public struct ContactId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `visits`: 20 characters.
public struct VisitId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `service_rows`: 20 characters.
public struct ServiceRowId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `follow_ups`: 20 characters.
public struct FollowUpId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `sessions`: 20 characters.
public struct SessionId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `grants`: 20 characters.
public struct GrantId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `groups`: 20 characters.
public struct GroupId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `memberships`: 20 characters.
public struct MembershipId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `work_days`: 20 characters.
public struct WorkDayId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `teams`: 20 characters.
public struct TeamId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `members`: 20 characters.
public struct MemberId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `hamlets`: 20 characters.
public struct HamletId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `checklist_runs`: 20 characters.
public struct ChecklistRunId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `reviews`: 20 characters.
public struct ReviewId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of `plans`: 20 characters.
public struct PlanId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A row of any table: 20 characters.
public struct RowId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// What a phone holds a part of: 13 characters.
public struct ScopeId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// One member's folder on one phone, or the hub: 13 characters.
public struct DeviceId: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A piece of content and its version, such as `sim_4g@1`.
public struct ContentRef: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A place's code in a list of units, such as `06838@2025`.
public struct UnitCode: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A JSON value.
public struct Json: Hashable, Codable, Sendable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
}

/// A civil date of Vietnam: `yyyy-mm-dd`.
public struct Day: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let text: String
  public init(_ text: String) { self.text = text }
  public var description: String { text }
  public static func < (one: Day, other: Day) -> Bool { one.text < other.text }

  /// Its year, month and day.
  public var components: DateComponents {
    let parts = text.split(separator: "-").map { Int($0) }
    guard parts.count == 3 else { return DateComponents() }
    return DateComponents(year: parts[0], month: parts[1], day: parts[2])
  }
}
