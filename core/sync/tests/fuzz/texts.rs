//! What people and programs hand over as text: the invitation and the header of a signed question.

use langso_sync::wire::{Invite, SignedGet};

use crate::mill::{self, Fuzz};

fn invite(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(invite) = text.parse::<Invite>() else { return false };
    assert_eq!(invite.to_string().parse(), Ok(invite.clone()));
    assert!(invite.url.starts_with("http") && !format!("{invite:?}").contains(&text[4..30]));
    true
}

fn signed_get(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(signed) = text.parse::<SignedGet>() else { return false };
    assert_eq!(signed.to_string().parse(), Ok(signed));
    true
}

fn fuzz(name: &'static str, try_one: fn(&[u8]) -> bool) {
    mill::run(&Fuzz { name, cases: 6_000, pieces: mill::TEXT, bound: crate::BOUND }, try_one);
}

#[test]
fn invitations() {
    fuzz("invite", invite);
}

#[test]
fn headers_of_signed_questions() {
    fuzz("signed-get", signed_get);
}
