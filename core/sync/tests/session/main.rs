//! Phone and hub together, over links that are cut anywhere.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod refused;

use std::collections::{BTreeMap, HashMap};

use common::*;
use langso_domain::id::{Key, ScopeId, Writer};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::keys::SigningKey;
use langso_sync::session::*;
use langso_sync::wire::*;
use proptest::prelude::*;

/// A phone that keeps what the real one keeps.
struct Phone {
    key: SigningKey,
    outbox: Vec<(ScopeId, Key, Vec<u8>)>,
    positions: HashMap<Key, u64>,
    /// Everything held with a position, own and others'.
    held: BTreeMap<ScopeId, BTreeMap<u64, Key>>,
    cursors: Vec<(ScopeId, Cursor)>,
    marks: Vec<(ScopeId, Cursor)>,
    kept: Vec<(ScopeId, u64, Vec<u8>)>,
    carried: Vec<(i64, Vec<u8>)>,
    pace: u32,
    nonce: Nonce,
    max_bytes: u64,
    events: Vec<&'static str>,
}

impl Phone {
    fn new(number: u8, hub: &Hub) -> Self {
        Self {
            key: key(number),
            outbox: Vec::new(),
            positions: HashMap::new(),
            held: BTreeMap::new(),
            cursors: [TEAM, TRAINING].map(|scope| (scope, Cursor::start(scope))).to_vec(),
            marks: Vec::new(),
            kept: Vec::new(),
            carried: Vec::new(),
            pace: 0,
            nonce: hub.nonce,
            max_bytes: u64::MAX,
            events: Vec::new(),
        }
    }

    fn write(&mut self, count: usize, seed: u64) {
        for (at, change) in visits(count, seed).into_iter().enumerate() {
            let mut change = change;
            let scope = if at % 4 == 3 { TRAINING } else { TEAM };
            // A writer belongs to one scope.
            if scope == TRAINING {
                change.key.writer.0 ^= 1;
            }
            self.outbox.push((scope, change.key, change.encode()));
        }
    }

    fn session(&self, hub: &Hub) -> Session {
        Session::new(Setup {
            hub: hub.key.public(),
            device: self.key.id(),
            nonce: self.nonce,
            cursors: self.cursors.clone(),
            pace: Pace::from_number(self.pace),
            max_bytes: self.max_bytes,
            ..setup(&[])
        })
    }

    fn unplaced(&self) -> impl Iterator<Item = &(ScopeId, Key, Vec<u8>)> {
        self.outbox.iter().filter(|(_, key, _)| !self.positions.contains_key(key))
    }

    fn offers(&self) -> Vec<Held> {
        let mut upto: HashMap<Writer, u32> = HashMap::new();
        for (_, key, _) in &self.outbox {
            let last = upto.entry(key.writer).or_default();
            *last = key.seq.max(*last);
        }
        let mut offers: Vec<Held> = Vec::new();
        for (scope, key, _) in &self.outbox {
            let cursor = self.cursors.iter().find(|(of, _)| of == scope).unwrap().1;
            let settled = self.positions.get(key).is_some_and(|position| *position <= cursor.position);
            if !settled && offers.iter().all(|offer| offer.writer != key.writer) {
                offers.push(Held { writer: key.writer, upto: upto[&key.writer] });
            }
        }
        offers
    }

    fn ask(&mut self, session: &mut Session) -> Vec<u8> {
        let pending: Vec<_> = self.unplaced().map(|(scope, _, bytes)| (*scope, bytes.clone())).collect();
        let body = session.request(&self.key, &self.offers(), pending, self.carried.clone());
        self.pace = session.pace().number();
        body
    }

    fn keep(&mut self, scope: ScopeId, cursor: Cursor) {
        match self.cursors.iter_mut().find(|(of, _)| *of == scope) {
            Some(at) => at.1 = cursor,
            None => self.cursors.push((scope, cursor)),
        }
    }

    fn place(&mut self, scope: ScopeId, position: u64, key: Key) {
        let known = self.held.entry(scope).or_default().insert(position, key);
        assert!(known.is_none_or(|known| known == key), "a position never changes its key");
        if self.outbox.iter().any(|(_, own, _)| *own == key) {
            self.positions.insert(key, position);
        }
    }

    /// Takes what arrives of a reply; true when it came to its end.
    fn take(&mut self, session: &mut Session, reply: &[u8]) -> Result<bool, SessionError> {
        for chunk in reply.chunks(777) {
            session.feed(chunk);
            while let Some(event) = session.next_event()? {
                match event {
                    Event::News(news) => {
                        self.nonce = news.nonce;
                        for (scope, _) in news.joined {
                            self.keep(scope, Cursor::start(scope));
                        }
                    }
                    Event::Receipts { scope, receipts } => {
                        for receipt in receipts {
                            for at in 0..receipt.n {
                                let key = Key { writer: receipt.writer, seq: receipt.first + at };
                                self.place(scope, receipt.position + u64::from(at), key);
                            }
                        }
                    }
                    Event::Frame { frame, bytes, cursor } => {
                        let scope = frame.header.scope;
                        for change in frame.changes() {
                            self.place(scope, change.position.unwrap(), change.head.key);
                        }
                        self.keep(scope, cursor);
                        self.marks.insert(0, (scope, cursor));
                        self.kept.push((scope, cursor.position, bytes));
                    }
                    Event::State { .. } => panic!("this hub has no snapshots"),
                    Event::OtherHistory { scope } => {
                        self.events.push("other history");
                        let marks =
                            self.marks.iter().filter(|(of, _)| *of == scope).map(|(_, cursor)| *cursor);
                        session.offer_marks(scope, &marks.collect::<Vec<_>>());
                    }
                    Event::FellBack { scope, cursor } => {
                        self.events.push("fell back");
                        self.keep(scope, cursor);
                        let void = self.held.get_mut(&scope).unwrap().split_off(&(cursor.position + 1));
                        void.values().for_each(|key| {
                            self.positions.remove(key);
                        });
                        self.marks.retain(|(of, mark)| *of != scope || mark.position <= cursor.position);
                        let is_void = |of: &ScopeId, last: u64| *of == scope && last > cursor.position;
                        for (of, last, frame) in std::mem::take(&mut self.kept) {
                            if is_void(&of, last) {
                                self.carried.push((last as i64, frame));
                            } else {
                                self.kept.push((of, last, frame));
                            }
                        }
                    }
                    Event::Compared { agreed, differing } => {
                        self.events.extend(agreed.iter().map(|_| "agreed"));
                        self.events.extend(differing.iter().map(|_| "differs"));
                    }
                    Event::Refused(body) => {
                        self.events.push(body.problem.name());
                        return Ok(false);
                    }
                    Event::End { cursors, heads, carried } => {
                        assert!(heads.iter().all(|(scope, head)| {
                            self.held.get(scope).is_none_or(|held| held.keys().all(|at| at <= head))
                        }));
                        self.carried.retain(|(name, _)| !carried.contains(name));
                        cursors.into_iter().for_each(|(scope, cursor)| self.keep(scope, cursor));
                        self.pace = session.pace().number();
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// A session over a good link.
    fn sync(&mut self, hub: &mut Hub) -> Progress {
        let mut session = self.session(hub);
        while !session.done() && !session.spent() {
            assert!(session.progress().requests < 100, "no end");
            let body = self.ask(&mut session);
            let reply = hub.post(&body, usize::MAX).unwrap();
            self.take(&mut session, &reply).unwrap();
        }
        session.progress()
    }

    /// True when nothing is pending and everything of the hub is here.
    fn level(&self, hub: &Hub) -> bool {
        self.unplaced().next().is_none()
            && self.cursors.iter().all(|(scope, cursor)| {
                let log = hub.log.get(scope).map_or(&[][..], Vec::as_slice);
                let rows = (1..).zip(log).map(|(at, row)| (at, row.key));
                *cursor == hub.head(*scope)
                    && self.held.get(scope).cloned().unwrap_or_default().into_iter().eq(rows)
            })
    }
}

/// A hub, and a phone of which it knows and whose visits it does not.
fn wrote(count: usize, seed: u64) -> (Hub, Phone) {
    let hub = Hub::new(&[&key(1)]);
    let mut phone = Phone::new(1, &hub);
    phone.write(count, seed);
    (hub, phone)
}

#[test]
fn nothing_new_costs_at_most_300_bytes() {
    let mut hub = Hub::new(&[&key(1)]);
    hub.watermarks = true;
    let mut phone = Phone::new(1, &hub);
    for scope in [ScopeId([8; 8]), ScopeId([9; 8])] {
        phone.cursors.push((scope, Cursor::start(scope)));
    }
    phone.write(400, 1);
    phone.sync(&mut hub);
    let cost = phone.sync(&mut hub);
    assert!(phone.level(&hub));
    assert_eq!(cost.requests, 1);
    assert!(cost.up + cost.down <= 300, "{cost:?}");
}

#[test]
fn two_phones_come_level_and_nothing_is_sent_twice() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    for round in 0..6 {
        one.write(7 + round * 11, round as u64);
        two.write(5, 1_000 + round as u64);
        two.sync(&mut hub);
        one.sync(&mut hub);
    }
    two.sync(&mut hub);
    assert!(one.level(&hub) && two.level(&hub));
    assert_eq!(hub.twice, 0);
}

#[test]
fn a_large_backlog_goes_out_in_few_requests_that_grow() {
    let mut hub = Hub::new(&[&key(1)]);
    let mut phone = Phone::new(1, &hub);
    phone.write(4_000, 3);
    let cost = phone.sync(&mut hub);
    assert!(phone.level(&hub));
    assert_eq!(hub.twice, 0);
    assert!(cost.requests <= 8, "{cost:?}");
    let raw: usize = phone.outbox.iter().map(|(_, _, bytes)| bytes.len()).sum();
    assert!(cost.up < raw as u64 / 3, "{cost:?} of {raw}");
    assert!(cost.down < cost.up / 4, "{cost:?}");
}

#[test]
fn a_reply_that_is_lost_makes_receipts_not_a_second_sending() {
    let (mut hub, mut phone) = wrote(60, 3);
    let mut session = phone.session(&hub);
    let body = phone.ask(&mut session);
    hub.post(&body, usize::MAX).unwrap();
    session.cut();
    let at_hub: usize = hub.known.values().map(Vec::len).sum();
    let after = phone.ask(&mut session);
    assert!(after.len() < 1_500 + body.len() / 4, "the first after a cut is small: {}", after.len());
    let reply = hub.post(&after, usize::MAX).unwrap();
    assert!(phone.take(&mut session, &reply).unwrap());
    assert!(phone.positions.len() > 20 && hub.twice < 4_000 && hub.twice < at_hub, "{}", hub.twice);
    let before = hub.twice;
    phone.sync(&mut hub);
    assert!(phone.level(&hub));
    assert_eq!(hub.twice, before);
}

#[test]
fn a_program_killed_under_way_starts_small_and_loses_nothing() {
    let (mut hub, mut phone) = wrote(60, 3);
    let mut session = phone.session(&hub);
    let body = phone.ask(&mut session);
    hub.post(&body, usize::MAX).unwrap();
    drop(session);
    let mut session = phone.session(&hub);
    let again = phone.ask(&mut session);
    assert!(again.len() < body.len() && hub.twice == 0);
    phone.sync(&mut hub);
    assert!(phone.level(&hub));
}

#[test]
fn a_stale_nonce_costs_one_more_round_and_nothing_is_lost() {
    let (mut hub, mut phone) = wrote(30, 3);
    phone.nonce = Nonce::from_bytes(&[1; 18]).unwrap();
    phone.sync(&mut hub);
    assert_eq!(phone.events, ["stale_nonce"]);
    assert!(phone.level(&hub));
}

#[test]
fn a_new_scope_is_followed_in_the_same_session() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    let mut phone = Phone::new(1, &hub);
    let place = ScopeId([5; 8]);
    for change in visits(20, 9) {
        hub.enter(place, key(2).id(), change.key, &change.encode());
    }
    hub.joined = vec![(place, 3)];
    phone.sync(&mut hub);
    assert!(phone.level(&hub));
    assert_eq!(phone.cursors[2], (place, hub.head(place)));
}

#[test]
fn a_hub_rolled_back_gets_everything_again_from_the_newest_mark_it_knows() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    hub.max_frame = 1_000;
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    two.write(300, 1);
    two.sync(&mut hub);
    one.sync(&mut hub);
    one.write(40, 2);
    one.sync(&mut hub);
    hub.roll_back(TEAM, 100);
    one.sync(&mut hub);
    assert_eq!(one.events, ["other history", "fell back"]);
    assert!(one.marks.iter().any(|(scope, mark)| *scope == TEAM && mark.position < 100));
    // What the other phone wrote above the mark comes back with the frames that the first one kept.
    assert!(one.level(&hub) && one.carried.is_empty());
    assert_eq!(hub.log[&TEAM].len(), 255);
    two.sync(&mut hub);
    one.sync(&mut hub);
    assert!(one.level(&hub) && two.level(&hub));
    assert_eq!(hub.log[&TEAM].len(), 255);
}

#[test]
fn frames_of_others_go_out_within_the_pace_and_one_that_is_larger_alone() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    two.write(3_000, 1);
    two.sync(&mut hub);
    one.sync(&mut hub);
    let all = hub.log[&TEAM].len();
    hub.roll_back(TEAM, 0);
    one.write(40, 2);
    let mut session = one.session(&hub);
    let mut requests = Vec::new();
    while !session.done() {
        let before = one.carried.len();
        let body = one.ask(&mut session);
        let reply = hub.post(&body, usize::MAX).unwrap();
        one.take(&mut session, &reply).unwrap();
        requests.push((body.len(), before.saturating_sub(one.carried.len())));
    }
    assert!(one.level(&hub) && one.carried.is_empty());
    assert!(hub.log[&TEAM].len() >= all + 30);
    // Frames of 64 KiB, the request still small: each goes alone until the pace has grown.
    let large: Vec<_> = requests.iter().filter(|(bytes, _)| *bytes > 16 * 1024).collect();
    assert!(large.len() > 1 && large.iter().any(|(_, frames)| *frames == 1), "{requests:?}");
}

#[test]
fn a_frame_of_others_waits_for_a_session_with_bytes_enough() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    two.write(600, 1);
    two.sync(&mut hub);
    one.sync(&mut hub);
    hub.roll_back(TEAM, 0);
    one.max_bytes = 8_000;
    let cost = one.sync(&mut hub);
    assert!(cost.up + cost.down <= 8_000 && one.carried.len() == 1, "{cost:?}");
    one.max_bytes = u64::MAX;
    one.sync(&mut hub);
    assert!(one.level(&hub) && one.carried.is_empty());
}

#[test]
fn the_end_of_a_reply_says_the_heads_of_what_was_served_whole() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    hub.max_frame = 1_000;
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    two.write(300, 1);
    two.sync(&mut hub);
    let heads_of = |phone: &mut Phone, max: u64, hub: &mut Hub| {
        phone.max_bytes = max;
        let mut session = phone.session(hub);
        let body = phone.ask(&mut session);
        session.feed(&hub.post(&body, usize::MAX).unwrap());
        loop {
            if let Some(Event::End { heads, .. }) = session.next_event().unwrap() {
                return heads;
            }
        }
    };
    assert_eq!(heads_of(&mut one, 6_000, &mut hub), [], "there is more to fetch");
    let whole = [TEAM, TRAINING].map(|scope| (scope, hub.head(scope).position));
    assert_eq!(heads_of(&mut one, u64::MAX, &mut hub), whole);
    one.cursors[0].1.chain = Chain([9; 8]);
    assert_eq!(heads_of(&mut one, u64::MAX, &mut hub), whole[1..], "of the other scope nothing was served");
}

#[test]
fn the_budget_ends_a_session_and_the_next_goes_on() {
    let mut hub = Hub::new(&[&key(1), &key(2)]);
    let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
    two.write(3_000, 1);
    two.sync(&mut hub);
    one.max_bytes = 20_000;
    let mut sessions = 0;
    while !one.level(&hub) {
        let mut session = one.session(&hub);
        while !session.done() && !session.spent() {
            let body = one.ask(&mut session);
            let reply = hub.post(&body, usize::MAX).unwrap();
            one.take(&mut session, &reply).unwrap();
        }
        // One frame may run over: estimates are not promises.
        assert!(session.progress().up + session.progress().down < 30_000, "{:?}", session.progress());
        sessions += 1;
        assert!(sessions < 30);
    }
    assert!(sessions > 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn over_a_link_cut_anywhere_everything_arrives_once(
        writes in 1usize..120,
        cuts in proptest::collection::vec((any::<bool>(), 0usize..6_000, any::<bool>()), 0..12),
        seed in any::<u64>(),
    ) {
        let mut hub = Hub::new(&[&key(1), &key(2)]);
        hub.max_frame = 3_000;
        let (mut one, mut two) = (Phone::new(1, &hub), Phone::new(2, &hub));
        one.write(writes, seed);
        two.write(90, seed ^ 1);
        let mut session = one.session(&hub);

        for (up, at, killed) in cuts {
            if session.done() {
                break;
            }
            let body = one.ask(&mut session);
            // The other phone's changes come in between.
            if at % 3 == 0 {
                two.sync(&mut hub);
            }
            let acknowledged: usize = one.outbox.iter()
                .filter(|(_, key, _)| one.positions.contains_key(key)).map(|(_, _, bytes)| bytes.len()).sum();
            let before = hub.twice;
            let reply = hub.post(&body, if up { at } else { usize::MAX });
            // Sent twice is only what the small request after a cut carries, never what was acknowledged.
            prop_assert!(hub.twice - before <= 6_000 && acknowledged <= hub.known.values().map(Vec::len).sum());
            let whole = match reply {
                None => false,
                Some(reply) => {
                    let arrives = if up { reply.len() } else { at.min(reply.len()) };
                    one.take(&mut session, &reply[..arrives]).unwrap()
                }
            };
            if !whole {
                session.cut();
                one.pace = session.pace().number();
            }
            if killed {
                session = one.session(&hub);
            }
        }
        two.sync(&mut hub);
        one.sync(&mut hub);
        two.sync(&mut hub);
        prop_assert!(one.level(&hub) && two.level(&hub));
    }
}
