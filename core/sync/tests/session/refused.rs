//! Replies that no true hub gives to this request: refused, and nothing of them counts.

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
