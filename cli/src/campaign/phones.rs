//! What befalls the phones meanwhile: syncs where there is signal, new processes, and kills at odd moments.
//! Put in last, between the events of each device.

use super::event::{Event, KillDuring, What};
use super::ledger::{MemberNo, Moment};
use super::rng::SplitMix64;
use super::schedule::Fate;
use super::world::World;

/// Of 100 days with work, those that begin with a new process.
const RESTARTS: u32 = 55;
/// Of 100 restarts, those of the whole phone.
const REBOOTS: u32 = 12;

impl World<'_> {
    /// Ends the team: its events with those of the phones, in order of time.
    pub(super) fn into_events(mut self, mut rng: SplitMix64) -> Vec<Event> {
        for member in (0..self.team.members.len() as u8).map(MemberNo) {
            let syncs = self.syncs;
            for (at, fate) in &syncs.0[member.index()] {
                if *fate == Fate::Killed {
                    self.push(Moment(at.0 - 1_000), member, What::Kill { during: KillDuring::Sync });
                }
                let cut_after_bytes = if let Fate::Cut(bytes) = fate { Some(*bytes) } else { None };
                self.push(*at, member, What::Sync { cut_after_bytes });
            }
            let mut own: Vec<(Moment, bool)> = self
                .events
                .iter()
                .filter(|event| event.member == member)
                .map(|event| (event.at, matches!(event.what, What::Visit(_))))
                .collect();
            own.sort_unstable();
            let mut day = None;
            for (at, visit) in own {
                if day.replace(at.date()) != Some(at.date()) && rng.chance(RESTARTS) {
                    let reboot = rng.chance(REBOOTS);
                    self.push(Moment(at.0 - 40_000), member, What::Restart { reboot });
                }
                if visit {
                    match rng.below(150) {
                        0 => {
                            self.push(Moment(at.0 - 20_000), member, What::Kill { during: KillDuring::Draft })
                        }
                        1 => self.push(Moment(at.0 - 500), member, What::Kill { during: KillDuring::Save }),
                        _ => {}
                    }
                }
            }
        }
        self.events.sort_by_key(|event| event.at);
        self.events
    }
}
