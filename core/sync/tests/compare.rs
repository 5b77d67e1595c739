//! Digests in a session: said once, in the request they were offered for, and answered for those scopes alone.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use langso_domain::id::ScopeId;
use langso_sync::digest::Digest;
use langso_sync::session::{Event, Session, SessionError};
use langso_sync::wire::{Ended, Hello, Problem, ProblemBody, Question, ReplyHead, WireError};

const OTHER: ScopeId = ScopeId(*b"team 002");

fn session() -> Session {
    Session::new(setup(&[TEAM, OTHER]))
}

/// The next request, answered with that head.
fn ask(session: &mut Session, head: &ReplyHead) -> (Hello, Result<Vec<Event>, SessionError>) {
    let body = session.request(&key(1), &[], [], []);
    let head = ReplyHead { question: Question::of(&body).unwrap(), ..head.clone() };
    session.feed(&[head.encode(), Ended::default().encode()].concat());
    let mut events = Vec::new();
    let result = loop {
        match session.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => break Ok(events),
            Err(error) => break Err(error),
        }
    };
    (hello(&body), result)
}

fn compared(events: &[Event]) -> Option<(&[ScopeId], &[ScopeId])> {
    events.iter().find_map(|event| match event {
        Event::Compared { agreed, differing } => Some((&agreed[..], &differing[..])),
        _ => None,
    })
}

#[test]
fn digests_are_said_once_and_answered_by_scope() {
    let mut session = session();
    let (hello, events) = ask(&mut session, &ReplyHead::default());
    assert!(hello.digests.is_empty() && compared(&events.unwrap()).is_none());
    assert!(session.done());
    let digests = [TEAM, OTHER].map(|scope| (scope, Digest::from_bytes([scope.0[7]; 16])));
    session.offer_digests(digests.to_vec());
    assert!(!session.done(), "there is something to ask");
    let head =
        ReplyHead { agreed: vec![1], problems: vec![Problem::DigestDiffers(TEAM)], ..Default::default() };
    let (hello, events) = ask(&mut session, &head);
    assert_eq!(hello.digests, [(0, digests[0].1), (1, digests[1].1)]);
    assert_eq!(compared(&events.unwrap()), Some((&[OTHER][..], &[TEAM][..])));
    assert!(session.done());
    let (hello, _) = ask(&mut session, &ReplyHead::default());
    assert!(hello.digests.is_empty(), "they were of that moment");
}

#[test]
fn a_request_that_was_refused_says_them_again() {
    let mut session = session();
    session.offer_digests(vec![(TEAM, Digest::default())]);
    session.request(&key(1), &[], [], []);
    let refusal = ProblemBody { problem: Problem::StaleNonce, hub_time_ms: 7, nonce: None };
    session.feed(&refusal.encode());
    assert!(matches!(session.next_event(), Ok(Some(Event::Refused(_)))));
    let (hello, events) = ask(&mut session, &ReplyHead { agreed: vec![0], ..Default::default() });
    assert_eq!(hello.digests, [(0, Digest::default())]);
    assert_eq!(compared(&events.unwrap()), Some((&[TEAM][..], &[][..])));
}

#[test]
fn a_hub_that_could_not_compare_says_nothing_and_the_session_ends() {
    let mut session = session();
    session.offer_digests(vec![(TEAM, Digest::default())]);
    let (_, events) = ask(&mut session, &ReplyHead::default());
    assert!(compared(&events.unwrap()).is_none());
    assert!(session.done());
}

#[test]
fn a_verdict_on_what_was_not_offered_is_refused() {
    let heads = [
        ReplyHead { agreed: vec![1], ..Default::default() },
        ReplyHead { agreed: vec![7], ..Default::default() },
        ReplyHead { problems: vec![Problem::DigestDiffers(OTHER)], ..Default::default() },
    ];
    for head in heads {
        let mut session = session();
        session.offer_digests(vec![(TEAM, Digest::default())]);
        let (_, result) = ask(&mut session, &head);
        assert!(matches!(result, Err(SessionError::Wire(WireError::Malformed(_)))), "{result:?}");
    }
}
