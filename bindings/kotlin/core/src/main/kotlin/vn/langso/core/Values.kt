/*
 * Ids, dates and codes: each its text, and a type of its own, so that a person's id does not pass for a household's.
 * The core refuses text that is none of the kind with an error; nothing is done then.
 */
package vn.langso.core

import java.time.LocalDate

/** A row of `households`: 20 characters. */
@JvmInline
value class HouseholdId(val text: String) {
    override fun toString() = text
}

/** A row of `persons`: 20 characters. */
@JvmInline
value class PersonId(val text: String) {
    override fun toString() = text
}

/** A row of `consents`: 20 characters. */
@JvmInline
value class ConsentId(val text: String) {
    override fun toString() = text
}

/** A row of `contacts`: 20 characters. */
@JvmInline
value class ContactId(val text: String) {
    override fun toString() = text
}

/** A row of `visits`: 20 characters. */
@JvmInline
value class VisitId(val text: String) {
    override fun toString() = text
}

/** A row of `service_rows`: 20 characters. */
@JvmInline
value class ServiceRowId(val text: String) {
    override fun toString() = text
}

/** A row of `follow_ups`: 20 characters. */
@JvmInline
value class FollowUpId(val text: String) {
    override fun toString() = text
}

/** A row of `sessions`: 20 characters. */
@JvmInline
value class SessionId(val text: String) {
    override fun toString() = text
}

/** A row of `grants`: 20 characters. */
@JvmInline
value class GrantId(val text: String) {
    override fun toString() = text
}

/** A row of `groups`: 20 characters. */
@JvmInline
value class GroupId(val text: String) {
    override fun toString() = text
}

/** A row of `memberships`: 20 characters. */
@JvmInline
value class MembershipId(val text: String) {
    override fun toString() = text
}

/** A row of `work_days`: 20 characters. */
@JvmInline
value class WorkDayId(val text: String) {
    override fun toString() = text
}

/** A row of `teams`: 20 characters. */
@JvmInline
value class TeamId(val text: String) {
    override fun toString() = text
}

/** A row of `members`: 20 characters. */
@JvmInline
value class MemberId(val text: String) {
    override fun toString() = text
}

/** A row of `hamlets`: 20 characters. */
@JvmInline
value class HamletId(val text: String) {
    override fun toString() = text
}

/** A row of `checklist_runs`: 20 characters. */
@JvmInline
value class ChecklistRunId(val text: String) {
    override fun toString() = text
}

/** A row of `reviews`: 20 characters. */
@JvmInline
value class ReviewId(val text: String) {
    override fun toString() = text
}

/** A row of `plans`: 20 characters. */
@JvmInline
value class PlanId(val text: String) {
    override fun toString() = text
}

/** A row of any table: 20 characters. */
@JvmInline
value class RowId(val text: String) {
    override fun toString() = text
}

/** What a phone holds a part of: 13 characters. */
@JvmInline
value class ScopeId(val text: String) {
    override fun toString() = text
}

/** One member's folder on one phone, or the hub: 13 characters. */
@JvmInline
value class DeviceId(val text: String) {
    override fun toString() = text
}

/** A piece of content and its version, such as `sim_4g@1`. */
@JvmInline
value class ContentRef(val text: String) {
    override fun toString() = text
}

/** A place's code in a list of units, such as `06838@2025`. */
@JvmInline
value class UnitCode(val text: String) {
    override fun toString() = text
}

/** A JSON value. */
@JvmInline
value class Json(val text: String) {
    override fun toString() = text
}

/** A civil date of Vietnam: `yyyy-mm-dd`. */
@JvmInline
value class Day(val text: String) : Comparable<Day> {
    constructor(date: LocalDate) : this(date.toString())

    /** The same day for the calendar's own arithmetic. */
    val date: LocalDate get() = LocalDate.parse(text)

    override fun compareTo(other: Day) = text.compareTo(other.text)

    override fun toString() = text
}
