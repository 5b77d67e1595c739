//! Chance by seed: SplitMix64 (Steele, Lea, Flood 2014), the same numbers on every machine and in every
//! release, which no crate promises. Integers only, so that no platform rounds differently.

/// A stream of numbers that depends on its seed alone.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A stream of its own for one purpose, so that a longer draw in one place moves nothing elsewhere.
    pub fn stream(seed: u64, purpose: &str, number: u64) -> Self {
        let start = seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let state = purpose.bytes().fold(start, |state, byte| Self(state ^ u64::from(byte)).next());
        Self(state)
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..below`; 0 when `below` is 0. The bias of the product is under one in 2^32.
    pub fn below(&mut self, below: u32) -> u32 {
        (((self.next() >> 32) * u64::from(below)) >> 32) as u32
    }

    /// A number from `from` to `to`, both included.
    pub fn within(&mut self, from: u32, to: u32) -> u32 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of them; none of an empty list.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u32) as usize)
    }

    /// One of them by weight; the first when all weights are 0.
    ///
    /// # Panics
    /// On an empty list.
    pub fn weighted<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let total: u32 = of.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (one, weight) in of {
            if at < *weight {
                return *one;
            }
            at -= weight;
        }
        of[0].0
    }

    /// Puts them in another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at as u32 + 1) as usize);
        }
    }
}

/// `total` dealt out by weight: whole shares that sum to it exactly, rounding in order.
pub fn share_out(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let (mut run, mut given) = (0u64, 0u64);
    let mut shares = Vec::with_capacity(weights.len());
    for weight in weights {
        run += u64::from(*weight);
        let upto = (u64::from(total) * run).checked_div(sum).unwrap_or(0);
        shares.push((upto - given) as u32);
        given = upto;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::{SplitMix64, share_out};

    #[test]
    fn the_stream_is_that_of_the_paper() {
        let mut rng = SplitMix64(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_of_other_purposes_differ() {
        assert_ne!(SplitMix64::stream(1, "visits", 0).next(), SplitMix64::stream(1, "visits", 1).next());
        assert_ne!(SplitMix64::stream(1, "visits", 0).next(), SplitMix64::stream(1, "names", 0).next());
    }

    #[test]
    fn shares_sum_to_the_total() {
        assert_eq!(share_out(10, &[1, 1, 1]), [3, 3, 4]);
        assert_eq!(share_out(1_618, &[3, 0, 7, 5, 11]).iter().sum::<u32>(), 1_618);
        assert_eq!(share_out(5, &[0, 0]), [0, 0]);
    }
}
