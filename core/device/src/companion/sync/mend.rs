//! Fetching a scope anew whose rows are damaged: after all else of a sync, within its bytes. What does not come now goes
//! on with the next sync.

use std::sync::atomic::Ordering;

use langso_sync::session::{Event, Session, SessionError};
use langso_sync::wire::Problem;

use super::{Sync, SyncNow};
use crate::error::Result;
use crate::outbox::Unsent;
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
        let Some(mut repair) = self.0.phone().begin_repair()? else { return Ok(Mended::default()) };
        // All scopes are named, since the hub offers those that are not; only this one begins where its new rows are.
        let (url, mut session) = self.session_with(input, Some((repair.scope, repair.cursor()?)))?;
        if let Some(landing) = repair.landing()? {
            session.land(repair.scope, landing.of.position, landing.next);
        }
        let mut stale = 0;
        let mut is_lost = false;
        while !session.done() && !session.spent() && !repair.is_whole()? && !is_lost {
            let body = session.request(&self.0.phone().key, &[], [], []);
            match self.fetch(&url, body, &mut session, &mut repair, &mut is_lost).await? {
                Some(Problem::StaleNonce) if stale == 0 => stale = 1,
                Some(_) => break,
                None => {}
            }
        }
        let progress = session.progress();
        let (bytes_up, bytes_down, requests) = (progress.up, progress.down, progress.requests);
        let mut is_swapped = false;
        if is_lost {
            repair.give_up()?;
        } else if repair.is_whole()? {
            is_swapped = self.0.phone().end_repair(repair)?;
        }
        Ok(Mended { bytes_up, bytes_down, requests, is_swapped })
    }

    /// One request and its reply; gives why the hub refuses, or why nothing more is asked.
    async fn fetch(
        &self,
        url: &str,
        body: Vec<u8>,
        session: &mut Session,
        repair: &mut Repair,
        is_lost: &mut bool,
    ) -> Result<Option<Problem>> {
        let Ok(mut reply) = self.0.http.post(url, body).await else { return Ok(Some(Problem::Busy)) };
        let mut unsent = Unsent::default();
        loop {
            let chunk = match reply.chunk().await {
                Ok(Some(chunk)) if !self.0.sync_stop.load(Ordering::Acquire) => chunk,
                _ => return Ok(Some(Problem::Busy)),
            };
            session.feed(&chunk);
            loop {
                match session.next_event() {
                    Ok(None) => break,
                    Ok(Some(Event::Refused(body))) => return Ok(Some(body.problem)),
                    Ok(Some(Event::Frame { frame, .. })) if frame.header.scope == repair.scope => {
                        repair.take_frame(&frame)?;
                        if repair.is_whole()? {
                            return Ok(None);
                        }
                    }
                    Ok(Some(Event::State { frame, .. })) if frame.header.scope == repair.scope => {
                        repair.take_state(&frame)?;
                        if repair.is_whole()? {
                            return Ok(None);
                        }
                    }
                    Ok(Some(Event::OtherHistory { scope })) if scope == repair.scope => *is_lost = true,
                    Ok(Some(Event::End { .. })) => {
                        // Reads the transport's own end, so that the connection serves the next request.
                        let _ = reply.chunk().await;
                        return Ok(None);
                    }
                    // Of the other scopes whatever comes is taken in as ever.
                    Ok(Some(event @ (Event::News(_) | Event::Frame { .. } | Event::State { .. }))) => {
                        self.0.phone().take(event, &mut unsent)?;
                    }
                    Ok(Some(_)) => {}
                    Err(SessionError::OtherHistory { scope } | SessionError::Hole { scope }) => {
                        *is_lost |= scope == repair.scope;
                        return Ok(Some(Problem::Busy));
                    }
                    Err(_) => return Ok(Some(Problem::Busy)),
                }
            }
        }
    }
}
