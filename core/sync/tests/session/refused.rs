//! Replies that no true hub gives to this request: refused, and nothing of them counts.

use std::collections::BTreeMap;

use langso_domain::id::{Key, Writer};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::frame::{FrameBuilder, FrameError};
use langso_sync::keys::SigningKey;
use langso_sync::session::*;
use langso_sync::wire::*;

use crate::Phone;
use crate::common::*;

/// A session in which the hub's log is one change and the reply is as given.
fn answered(frames: &[Vec<u8>], end: Option<Cursor>) -> Result<(), SessionError> {
    let hub = Hub::new(&[&key(1)]);
    let mut phone = Phone::new(1, &hub);
    let mut session = phone.session(&hub);
    let question = Question::of(&phone.ask(&mut session)).unwrap();
    let head = ReplyHead { nonce: hub.nonce, question, ..Default::default() };
    let ended = Ended { cursors: end.into_iter().map(|cursor| (TEAM, cursor)).collect(), more: false };
    let reply = [head.encode(), frames.concat(), ended.encode()].concat();
    phone.take(&mut session, &reply).map(|ended| assert!(ended))
}

fn served(hub: &SigningKey, position: u64, before: Chain) -> Vec<u8> {
    let change = visits(1, 1).remove(0);
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, 9_999);
    builder.push_served(&change.encode(), change.key, key(2).id(), position, before).unwrap();
    builder.build(hub).unwrap()
}

#[test]
fn frames_that_do_not_continue_the_history_are_refused() {
    let hub = key(200);
    let good = served(&hub, 1, Chain::start(TEAM));
    let end = Cursor::start(TEAM).then(visits(1, 1)[0].key);
    let hole = Err(SessionError::Hole { scope: TEAM });
    let other = Err(SessionError::OtherHistory { scope: TEAM });
    assert_eq!(answered(std::slice::from_ref(&good), Some(end)), Ok(()));
    assert_eq!(answered(&[good.clone(), good.clone()], Some(end)), hole, "twice");
    assert_eq!(answered(&[served(&hub, 2, Chain::start(TEAM))], None), hole);
    assert_eq!(answered(&[served(&hub, 1, Chain([1; 8]))], None), other);
    assert_eq!(answered(std::slice::from_ref(&good), Some(Cursor { chain: Chain([1; 8]), ..end })), other);
    assert_eq!(answered(&[good], Some(Cursor { position: 2, ..end })), hole);
    assert_eq!(answered(&[], Some(end)), hole);
    let unplaced = own_frame(&hub, &visits(1, 1));
    assert_eq!(answered(&[unplaced], None), hole, "a frame of the hub has positions");
    let forged = served(&key(3), 1, Chain::start(TEAM));
    assert_eq!(answered(&[forged], None), Err(SessionError::Frame(FrameError::Signature)));
}

#[test]
fn an_answer_to_another_request_is_not_taken_for_this_one() {
    let mut hub = Hub::new(&[&key(1)]);
    let mut phone = Phone::new(1, &hub);
    phone.write(3, 1);
    let mut session = phone.session(&hub);
    let old = hub.post(&phone.ask(&mut session), usize::MAX).unwrap();
    hub.roll_back(TEAM, 0);
    let mut session = phone.session(&hub);
    phone.write(2, 2);
    phone.ask(&mut session);
    let other = Err(SessionError::Wire(WireError::OtherQuestion));
    assert_eq!(phone.take(&mut session, &old), other);
    assert!(phone.positions.is_empty(), "its receipts count for nothing");
}

#[test]
fn receipts_for_what_was_never_offered_are_refused() {
    let hub = Hub::new(&[&key(1)]);
    for (held, first, scope) in [(1, 1, 0), (0, 5, 0), (0, 1, 7)] {
        let mut phone = Phone::new(1, &hub);
        phone.write(3, 1);
        let mut session = phone.session(&hub);
        let question = Question::of(&phone.ask(&mut session)).unwrap();
        let ranges = vec![Range { position: 1, held, first, n: 2 }];
        let receipts = vec![ScopeReceipts { scope, ranges }];
        let head = ReplyHead { receipts, question, ..Default::default() };
        let result = phone.take(&mut session, &head.encode());
        assert!(matches!(result, Err(SessionError::Wire(WireError::Malformed(_)))), "{result:?}");
        assert!(phone.positions.is_empty());
    }
}

#[test]
fn receipts_of_recalled_writers_are_taken_below_the_cursor_and_nowhere_else() {
    let hub = Hub::new(&[&key(1)]);
    let recalled = vec![Held { writer: Writer(77), upto: 4 }];
    // The phone stands at position 10 and holds nothing of the writer any more.
    let answered = |range: Range, recalled: &[Held]| {
        let mut phone = Phone::new(1, &hub);
        phone.cursors[0].1 = Cursor { position: 10, chain: Chain([3; 8]) };
        let mut session = phone.session(&hub);
        session.recall(recalled.to_vec());
        let question = Question::of(&phone.ask(&mut session)).unwrap();
        let receipts = vec![ScopeReceipts { scope: 0, ranges: vec![range] }];
        let head = ReplyHead { receipts, question, ..Default::default() };
        let taken = phone.take(&mut session, &head.encode());
        (taken, phone.held.remove(&TEAM).unwrap_or_default(), session.recalled().len())
    };
    let good = Range { position: 7, held: 0, first: 1, n: 4 };
    let told: BTreeMap<u64, Key> =
        (7..=10).zip(1..).map(|(at, seq)| (at, Key { writer: Writer(77), seq })).collect();
    assert_eq!(answered(good, &recalled), (Ok(false), told, 0));
    for (bad, asked) in [
        (Range { position: 8, ..good }, &recalled[..]),
        (Range { position: 11, ..good }, &recalled[..]),
        (Range { first: 2, ..good }, &recalled[..]),
        (Range { held: 1, ..good }, &recalled[..]),
        (good, &[]),
    ] {
        let refused = Err(SessionError::Wire(WireError::Malformed("receipts")));
        assert_eq!(answered(bad, asked), (refused, BTreeMap::new(), asked.len()), "{bad:?}");
    }
}

#[test]
fn what_is_recalled_waits_while_bytes_are_short_and_is_asked_for_again_after_a_cut() {
    let hub = Hub::new(&[&key(1)]);
    let recalled: Vec<Held> = (1..=9).map(|n| Held { writer: Writer(n), upto: 1 }).collect();
    let asks = |max_bytes: u64, cuts: bool| {
        let mut phone = Phone::new(1, &hub);
        phone.max_bytes = max_bytes;
        let mut session = phone.session(&hub);
        session.recall(recalled.clone());
        let mut body = phone.ask(&mut session);
        if cuts {
            session.cut();
            body = phone.ask(&mut session);
        }
        (hello(&body).recalled, session.recalled().len())
    };
    assert_eq!(asks(u64::MAX, false), (recalled.clone(), 9));
    assert_eq!(asks(u64::MAX, true), (recalled.clone(), 9));
    assert_eq!(asks(800, false), (vec![], 9));
}
