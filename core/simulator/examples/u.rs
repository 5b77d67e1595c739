//! u
use langso_sync::keys::*;
fn main() {
    let k = SigningKey::from_seed(&[3; 32]);
    let m = vec![1u8; 500];
    let mut s = [0; 64];
    for _ in 0..40000 {
        s = k.sign(b"x\0", &[&m]);
    }
    println!("{s:?}");
}
