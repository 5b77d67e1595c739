//! An invitation as a person hands it over: one line that can be scanned, typed or opened from a file.
//!
//! `LS1-secret-fingerprint-check-address`: the code's 128-bit secret and the fingerprint of the hub's key in
//! base32 (26 characters each), two characters that catch a slip of the finger, and where the hub is.

use std::fmt;
use std::str::FromStr;

use langso_domain::id::{from_base32, to_base32};
use sha2::{Digest, Sha256};

use crate::keys::Fingerprint;

const MARK: &str = "LS1";
/// The longest address of a hub.
const MAX_URL: usize = 200;

/// What an enrolment code says. Its `Display` is a secret: it goes to the person invited and to no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// The code's secret, used once.
    pub secret: [u8; 16],
    /// Whose hub it must be.
    pub hub: Fingerprint,
    /// Where the hub is: `http://` or `https://`, host, perhaps a port; no path.
    pub url: String,
}

/// Why a line is no invitation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InviteError {
    /// It is something else.
    #[error("not an invitation")]
    NotAnInvite,
    /// A character was mistyped.
    #[error("mistyped")]
    Mistyped,
}

fn check(secret: &str, hub: &str, url: &str) -> String {
    let sum = Sha256::digest(format!("{secret}-{hub}-{url}").to_ascii_lowercase());
    to_base32(&sum[..2])[..2].to_owned()
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secret, hub) = (to_base32(&self.secret), to_base32(&self.hub.0));
        write!(f, "{MARK}-{secret}-{hub}-{}-{}", check(&secret, &hub, &self.url), self.url)
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite").field("hub", &self.hub).field("url", &self.url).finish_non_exhaustive()
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let parts: Vec<&str> = text.trim().splitn(5, '-').collect();
        let [mark, secret, hub, sum, url] = parts[..] else { return Err(InviteError::NotAnInvite) };
        let is_url = (url.starts_with("http://") || url.starts_with("https://")) && url.len() <= MAX_URL;
        let is_url = is_url && !url.contains(|c: char| c.is_whitespace() || c.is_control());
        if !mark.eq_ignore_ascii_case(MARK) || !is_url {
            return Err(InviteError::NotAnInvite);
        }
        let url = url.trim_end_matches('/');
        if !check(secret, hub, url).eq_ignore_ascii_case(sum) {
            return Err(InviteError::Mistyped);
        }
        let secret = from_base32(secret).ok_or(InviteError::Mistyped)?;
        let hub = Fingerprint(from_base32(hub).ok_or(InviteError::Mistyped)?);
        Ok(Self { secret, hub, url: url.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_comes_back_and_a_slip_is_noticed() {
        let invite = Invite {
            secret: [7; 16],
            hub: Fingerprint([9; 16]),
            url: "http://hub-1.example:8080".to_owned(),
        };
        let text = invite.to_string();
        assert_eq!(text.parse(), Ok(invite.clone()));
        assert_eq!(format!(" {text}/\n").parse(), Ok(invite.clone()));
        assert_eq!("LS1-abc".parse::<Invite>(), Err(InviteError::NotAnInvite));
        let slip = text.replacen('7', "8", 1).replacen("LS1-0", "LS1-1", 1);
        assert!(slip == text || slip.parse::<Invite>() == Err(InviteError::Mistyped));
        assert!(!format!("{invite:?}").contains(&to_base32(&[7; 16])), "the secret is not printed");
    }
}
