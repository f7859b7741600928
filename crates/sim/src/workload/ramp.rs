//! Bytes that tell their place.

use bytes::Bytes;

/// A prime near 256: no power of two and no part size is a multiple of it, so a byte that comes
/// from another place is another byte.
const PRIME: u64 = 251;

/// `size` bytes: a ramp modulo a prime, begun at a place that the seed tells.
pub fn ramp(size: u64, seed: u64) -> Bytes {
    (0..size).map(|place| byte(place, seed)).collect()
}

fn byte(place: u64, seed: u64) -> u8 {
    // The second term moves once in a turn of the ramp, so that turns differ too.
    let value = (place + place / PRIME * 7 + seed % PRIME) % PRIME;
    u8::try_from(value).expect("below the prime")
}

/// Where bytes first differ from the ramp; none when they are it.
pub(super) fn first_difference(bytes: &[u8], size: u64, seed: u64) -> Option<String> {
    if bytes.len() as u64 != size {
        return Some(format!("{} bytes instead of {size}", bytes.len()));
    }
    let wrong = (0..)
        .zip(bytes)
        .find(|(place, found)| byte(*place, seed) != **found);
    wrong.map(|(place, found)| {
        let expected = byte(place, seed);
        format!("{found} instead of {expected} at byte {place}")
    })
}
