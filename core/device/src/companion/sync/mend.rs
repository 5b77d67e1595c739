//! Fetching a scope anew whose rows are damaged: after all else of a sync, within its bytes. What does not come now goes
//! on with the next sync.

use langso_sync::session::{Event, SessionError};
use langso_sync::wire::Problem;

use super::{Outcome, Sync, SyncNow, Talk};
use crate::error::Result;
use crate::repair::Repair;

/// What mending cost and did.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub requests: u32,
    /// The rows were swapped in.
    pub is_swapped: bool,
}

impl Sync<'_> {
    /// Mends one scope, when one is damaged.
    pub(super) async fn mend(&self, input: SyncNow) -> Result<Mended> {
        let (repair, generation) = {
            let phone = self.0.phone();
            (phone.begin_repair()?, phone.generation)
        };
        let Some(mut repair) = repair else { return Ok(Mended::default()) };
        // All scopes are named, since the hub offers those that are not; only this one begins where its new rows are.
        let mut talk = self.talk_with(input, Some((repair.scope, repair.cursor()?)))?;
        talk.generation = generation;
        if let Some(landing) = repair.landing()? {
            talk.session.land(repair.scope, landing.of.position, landing.next);
        }
        {
            let phone = self.phone_of(&talk)?;
            talk.unsent.refresh(phone.connection(), &phone.replica.scopes()?)?;
        }
        let mut stale = 0;
        while !talk.session.done()
            && !talk.session.spent()
            && !repair.is_whole()?
            && talk.brought.elsewhere.is_empty()
        {
            let body = {
                let phone = self.phone_of(&talk)?;
                talk.session.request(&phone.key, &[], [], [])
            };
            match self.exchange(&mut talk, body, Some(&mut repair)).await? {
                Outcome::Ended => {}
                Outcome::Refused(Problem::StaleNonce) if stale == 0 => stale = 1,
                Outcome::Wrong(SessionError::OtherHistory { scope } | SessionError::Hole { scope }) => {
                    talk.brought.elsewhere.push(scope);
                }
                Outcome::Refused(_) | Outcome::Broken(_) | Outcome::Wrong(_) => break,
            }
        }
        let progress = talk.session.progress();
        let (bytes_up, bytes_down, requests) = (progress.up, progress.down, progress.requests);
        let mut is_swapped = false;
        let mut phone = self.phone_of(&talk)?;
        if talk.brought.elsewhere.contains(&repair.scope) {
            repair.give_up()?;
        } else if repair.is_whole()? {
            is_swapped = phone.end_repair(repair)?;
        }
        Ok(Mended { bytes_up, bytes_down, requests, is_swapped })
    }

    /// Takes in what comes while a scope is fetched anew; whether nothing more is wanted of this reply.
    pub(super) fn take_into(&self, repair: &mut Repair, event: Event, talk: &mut Talk) -> Result<bool> {
        let mut phone = self.phone_of(talk)?;
        match event {
            Event::Frame { frame, .. } if frame.header.scope == repair.scope => {
                repair.take_frame(&frame)?;
                repair.is_whole()
            }
            Event::State { frame, .. } if frame.header.scope == repair.scope => {
                repair.take_state(&frame)?;
                repair.is_whole()
            }
            // No cursor of another scope may move past the place to which it has to go back: the next sync does that
            // first of all.
            Event::OtherHistory { scope } | Event::FellBack { scope, .. } => {
                talk.brought.elsewhere.push(scope);
                Ok(true)
            }
            // Of the other scopes whatever comes is taken in as ever.
            event @ (Event::News(_) | Event::Frame { .. } | Event::State { .. }) => {
                phone.take(event, &mut talk.unsent).map(|()| false)
            }
            // Nothing was sent or compared, and where the other scopes stand was said by the sync before.
            Event::Receipts { .. } | Event::Compared { .. } | Event::End { .. } | Event::Refused(_) => {
                Ok(false)
            }
        }
    }
}
