//! When members go out and when their phones have signal. Evenings and weekends before all; syncs at noon, at
//! night or before breakfast, never inside a visit; a phone that two share is out with one of them at a time.

use std::collections::BTreeSet;

use langso_domain::date::CivilDate;

use super::CampaignError;
use super::ledger::{MemberNo, Moment, Span, Team};
use super::rng::SplitMix64;

/// A visit to come: who, when; minutes of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    pub(super) day: CivilDate,
    pub(super) end: u32,
    pub(super) start: u32,
    pub(super) member: MemberNo,
}

/// How a team spends a day out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Visits on a weekday evening, from and to.
    pub(super) evening: (u32, u32),
    /// Visits on a day of the weekend.
    pub(super) weekend: (u32, u32),
    /// Minutes a visit takes.
    pub(super) minutes: (u32, u32),
    /// Weekdays are spent like weekends.
    pub(super) all_day: bool,
}

/// Teams that help with anything.
pub(super) const GENERAL: Pace = Pace { evening: (2, 4), weekend: (3, 7), minutes: (25, 50), all_day: false };
/// Farmers' teams, one subject.
pub(super) const FARMERS: Pace = Pace { evening: (3, 6), weekend: (4, 9), minutes: (20, 35), all_day: false };
/// The handing over of phones.
pub(super) const HAND_OVER: Pace =
    Pace { evening: (0, 0), weekend: (6, 9), minutes: (22, 34), all_day: true };

const NIGHT: u32 = 21 * 60 + 30;

/// Whether two members use one phone.
fn share(team: &Team, one: MemberNo, other: MemberNo) -> bool {
    team.members[one.index()].phone == team.members[other.index()].phone
}

/// Exactly `count` visits within the span, by day and end.
pub(super) fn slots(
    rng: &mut SplitMix64,
    team: &Team,
    span: Span,
    holidays: &[Span],
    pace: Pace,
    count: u32,
) -> Result<Vec<Slot>, CampaignError> {
    let mut outings = Vec::new();
    for day in (span.from.0..=span.to.0).map(CivilDate) {
        if holidays.iter().any(|holiday| holiday.holds(day)) {
            continue;
        }
        let tickets = if day.weekday() >= 6 { 3 } else { 1 };
        for member in (0..team.members.len() as u8).map(MemberNo) {
            outings.extend(std::iter::repeat_n((day, member), tickets));
        }
    }
    rng.shuffle(&mut outings);
    let mut out: BTreeSet<(CivilDate, MemberNo)> = BTreeSet::new();
    let mut slots = Vec::with_capacity(count as usize);
    for (day, member) in outings {
        let left = count - slots.len() as u32;
        if left == 0 {
            break;
        }
        let others = (0..team.members.len() as u8).map(MemberNo).filter(|one| share(team, *one, member));
        if others.into_iter().any(|one| out.contains(&(day, one))) {
            continue;
        }
        out.insert((day, member));
        day_out(rng, pace, day, member, left, &mut slots);
    }
    if slots.len() as u32 != count {
        return Err(CampaignError::TooFewDays { team: team.no });
    }
    slots.sort_by_key(|slot| (slot.day, slot.end, slot.member));
    Ok(slots)
}

fn day_out(
    rng: &mut SplitMix64,
    pace: Pace,
    day: CivilDate,
    member: MemberNo,
    left: u32,
    slots: &mut Vec<Slot>,
) {
    let whole = pace.all_day || day.weekday() >= 6;
    let (from, to) = if whole { pace.weekend } else { pace.evening };
    let visits = rng.within(from, to).min(left);
    let mut at = if whole { 7 * 60 + 30 } else { 17 * 60 + 30 } + rng.below(25);
    for _ in 0..visits {
        let minutes = rng.within(pace.minutes.0, pace.minutes.1);
        // Nobody is visited over lunch.
        if at < 13 * 60 && at + minutes > 11 * 60 + 45 {
            at = 13 * 60 + 30 + rng.below(15);
        }
        if at + minutes > if whole { 18 * 60 } else { NIGHT } {
            break;
        }
        slots.push(Slot { day, start: at, end: at + minutes, member });
        at += minutes + rng.within(6, 14);
    }
}

/// What became of a sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It held.
    Whole,
    /// Cut after so many bytes.
    Cut(u32),
    /// The app was killed meanwhile.
    Killed,
}

/// The syncs of each member's device, in order.
#[derive(Clone, Debug)]
pub(super) struct Syncs(pub(super) Vec<Vec<(Moment, Fate)>>);

/// Draws them: as many in ten weeks as the team's signal allows, none on its days without, and a whole one at
/// the end of the period for everyone.
pub(super) fn syncs(rng: &mut SplitMix64, team: &Team, period: Span, in_ten_weeks: u32) -> Syncs {
    let devices = (0..team.members.len() as u8).map(|member| {
        let mut found = Vec::new();
        for day in (period.from.0..period.to.0).map(CivilDate) {
            let drawn = rng.below(70) < in_ten_weeks;
            // Members that share a phone open the app one after the other.
            let second = u32::from(member) * 61 + rng.below(40);
            let hour = rng.weighted(&[(6 * 3_600, 1), (12 * 3_600, 3), (21 * 3_600 + 2_700, 6)]);
            let fate = match rng.below(100) {
                0..6 => Fate::Cut(rng.within(300, 6_000)),
                6..8 => Fate::Killed,
                _ => Fate::Whole,
            };
            if drawn && !team.no_signal.iter().any(|span| span.holds(day)) {
                found.push((Moment::on(day, hour + 300 + second), fate));
            }
        }
        found.push((Moment::on(period.to, 22 * 3_600 + u32::from(member) * 61), Fate::Whole));
        found
    });
    Syncs(devices.collect())
}

impl Syncs {
    /// Whether `reader` knows at `now` what `author` saved at `made`: its own, or brought to the hub by a whole
    /// sync of the author and from it by a later one of the reader.
    pub(super) fn knows(&self, reader: MemberNo, author: MemberNo, made: Moment, now: Moment) -> bool {
        if reader == author {
            return true;
        }
        let whole_after = |member: MemberNo, after: Moment| {
            let all = &self.0[member.index()];
            let from = all.partition_point(|(at, _)| *at <= after);
            all[from..].iter().find(|(_, fate)| *fate == Fate::Whole).map(|(at, _)| *at)
        };
        whole_after(author, made).and_then(|up| whole_after(reader, up)).is_some_and(|down| down < now)
    }
}
