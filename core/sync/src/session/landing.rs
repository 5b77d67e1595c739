//! Snapshots in a session, the phone's half: which are under way, which are asked for, and whether a state frame is the
//! next one.

use std::collections::BTreeMap;

use langso_domain::id::ScopeId;

use super::phone::{Session, set};
use super::track::Track;
use super::types::{Event, SessionError};
use crate::chain::Cursor;
use crate::frame::Outer;
use crate::state::StateFrame;
use crate::wire::{LandingAt, WireError};

/// Position of the snapshot and its next frame, by scope; position 0 = any is asked for.
#[derive(Debug, Default)]
pub(super) struct Landings(BTreeMap<ScopeId, (u64, u32)>);

impl Landings {
    /// The snapshot has landed, or lands no more.
    pub fn end(&mut self, scope: ScopeId) {
        self.0.remove(&scope);
    }

    /// As the hello says them.
    pub fn told(&self, cursors: &[(ScopeId, Cursor)]) -> Vec<LandingAt> {
        let places = cursors.iter().enumerate();
        let landings = places.filter_map(|(at, (scope, _))| Some((at, *self.0.get(scope)?)));
        landings.map(|(scope, (position, next))| LandingAt { scope, position, next }).collect()
    }
}

impl Session {
    /// Of the snapshot of that position the frames below `next` are here; position 0 asks for any snapshot, whatever
    /// else the hub would serve.
    pub fn land(&mut self, scope: ScopeId, position: u64, next: u32) {
        self.landings.0.insert(scope, (position, next));
    }

    /// Takes a frame of a snapshot whose signature was checked.
    pub(super) fn state(&mut self, outer: &Outer<'_>) -> Result<Event, SessionError> {
        let flight = self.flight.as_mut().ok_or(WireError::Malformed("reply"))?;
        let frame = StateFrame::open(outer)?;
        let (scope, index, of) = (frame.header.scope, frame.header.index, frame.header.of);
        let asked = flight.cursors.iter().find(|(known, _)| *known == scope).map(|(_, cursor)| *cursor);
        let asked = asked.ok_or(WireError::Malformed("scope"))?;
        let track = self.tracks.entry(scope).or_insert_with(|| Track::new(asked, &[]));
        let is_next = index == 0 || self.landings.0.get(&scope) == Some(&(of.position, index));
        // Nobody goes back by a snapshot.
        if !is_next || of.position < track.cursor.position {
            return Err(SessionError::Hole { scope });
        }
        (flight.news, flight.brought) = (true, true);
        if !frame.header.is_last() {
            self.landings.0.insert(scope, (of.position, index + 1));
            return Ok(Event::State { frame, cursor: None });
        }
        self.landings.end(scope);
        track.jump(of);
        set(&mut self.setup.cursors, scope, of);
        Ok(Event::State { frame, cursor: Some(of) })
    }
}
