//! Nonces without memory: a day and an HMAC over day and device, good for seven days at every process of this hub.

use hmac::{Hmac, KeyInit, Mac};
use langso_domain::id::{DeviceId, from_base32, to_base32};
use langso_sync::wire::Nonce;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::{DAY_MS, Millis};
use crate::keys::Secret;

/// For how many days after the one on which it was given a nonce is good.
pub const GOOD_FOR_DAYS: i64 = 7;

const DAY_BYTES: usize = 2;
const TAG_BYTES: usize = 16;
const LENGTH: usize = DAY_BYTES + TAG_BYTES;

/// The nonce of a day for a device.
pub fn give(secret: &Secret, device: DeviceId, now: Millis) -> Nonce {
    let day = day_of(now).to_be_bytes();
    let mut bytes = [0; LENGTH];
    bytes[..DAY_BYTES].copy_from_slice(&day);
    bytes[DAY_BYTES..].copy_from_slice(&tag(secret, day, device));
    Nonce::from_bytes(&bytes).expect("a nonce is shorter than the longest")
}

/// Whether this hub gave the nonce to the device within the last seven days. A day ahead passes: the hub's clock may
/// have been set back.
pub fn is_good(secret: &Secret, device: DeviceId, nonce: &Nonce, now: Millis) -> bool {
    let Some((day, told)) = nonce.as_bytes().split_first_chunk::<DAY_BYTES>() else { return false };
    let age = i64::from(day_of(now)) - i64::from(u16::from_be_bytes(*day));
    (-1..=GOOD_FOR_DAYS).contains(&age) && bool::from(tag(secret, *day, device).ct_eq(told))
}

/// As headers and JSON carry it.
pub fn to_text(nonce: &Nonce) -> String {
    to_base32(nonce.as_bytes())
}

/// Reads what [`to_text`] wrote; none when it is no nonce of this hub's length.
pub fn from_text(text: &str) -> Option<Nonce> {
    Nonce::from_bytes(&from_base32::<LENGTH>(text)?)
}

fn day_of(now: Millis) -> u16 {
    now.0.div_euclid(DAY_MS).clamp(0, i64::from(u16::MAX)) as u16
}

fn tag(secret: &Secret, day: [u8; DAY_BYTES], device: DeviceId) -> [u8; TAG_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes a key of any length");
    mac.update(&day);
    mac.update(&device.0);
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    #[test]
    fn a_nonce_is_good_for_seven_days_for_its_device_and_hub() {
        let (secret, device) = (Secret([1; 32]), DeviceId([2; 8]));
        let nonce = give(&secret, device, NOW);
        assert_eq!(from_text(&to_text(&nonce)), Some(nonce));
        assert!(is_good(&secret, device, &nonce, NOW));
        assert!(is_good(&secret, device, &nonce, NOW.plus(7 * DAY_MS)));
        assert!(!is_good(&secret, device, &nonce, NOW.plus(8 * DAY_MS)));
        assert!(is_good(&secret, device, &nonce, NOW.plus(-DAY_MS)));
        assert!(!is_good(&secret, DeviceId([3; 8]), &nonce, NOW));
        assert!(!is_good(&Secret([4; 32]), device, &nonce, NOW));
        assert!(!is_good(&secret, device, &Nonce::default(), NOW));
    }
}
