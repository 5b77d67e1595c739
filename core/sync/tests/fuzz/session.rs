//! A phone's session fed with damaged replies: whatever comes, its cursors move on along the chain or stay.

use langso_domain::id::ScopeId;
use langso_sync::frame::Outer;
use langso_sync::session::{Event, Session, Setup};
use langso_sync::wire::{Nonce, Question};

use crate::common::{TEAM, TRAINING, key, setup, visits};
use crate::fuzz;

/// The phone that the examples answer, its request sent.
pub fn asking() -> (Session, Vec<u8>) {
    let nonce = Nonce::from_bytes(&[7; 18]).unwrap();
    let mut session = Session::new(Setup { nonce, ..setup(&[TEAM, TRAINING]) });
    let body = session.request(&key(1), &[], visits(7, 1).iter().map(|change| (TEAM, change.encode())), []);
    (session, body)
}

/// Stands in the examples where the request is named.
pub const ANY_QUESTION: [u8; 8] = *b"question";

fn position(session: &Session, scope: ScopeId) -> Option<u64> {
    session.cursors().iter().find(|(of, _)| *of == scope).map(|(_, cursor)| cursor.position)
}

fn feed(bytes: &[u8]) -> bool {
    let (mut session, body) = asking();
    // The examples answer whatever request this program makes.
    let question = Question::of(&body).unwrap().0;
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(8).position(|eight| eight == ANY_QUESTION) {
        bytes[at..at + 8].copy_from_slice(&question);
    }
    session.feed(&bytes);
    let mut events = 0;
    let has_ended = loop {
        let before = [TEAM, TRAINING].map(|scope| position(&session, scope));
        match session.next_event() {
            Ok(Some(Event::End { .. })) => break true,
            Ok(Some(Event::Frame { bytes, .. })) => {
                Outer::whole(&bytes).unwrap().verify(&key(200).public()).unwrap();
            }
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break false,
        }
        events += 1;
        assert!(events < 100_000, "it says the same for ever");
        let after = [TEAM, TRAINING].map(|scope| position(&session, scope));
        assert!(before.iter().zip(after).all(|(before, after)| after.is_none() || *before <= after));
    };
    session.cut();
    session.request(&key(1), &[], [], []);
    has_ended
}

#[test]
fn sessions() {
    fuzz("session", 1_500, feed);
}
