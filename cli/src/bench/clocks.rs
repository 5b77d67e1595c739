//! What a piece of work costs: wall time and this thread's own processor time, and the middle of many.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What something cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// By the wall.
    pub wall: Duration,
    /// Of this thread, kernel included.
    pub cpu: Duration,
}

/// The processor time that this thread has used.
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Does it and says what it cost.
pub fn cost<T, E>(what: impl FnOnce() -> Result<T, E>) -> Result<(T, Cost), E> {
    let (wall, cpu) = (Instant::now(), thread_cpu());
    let done = what()?;
    Ok((done, Cost { wall: wall.elapsed(), cpu: thread_cpu().saturating_sub(cpu) }))
}

/// The value that `percent` of 100 lie below or at.
pub fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort_unstable();
    let at = (values.len() * percent).div_ceil(100).clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().unwrap_or_default()
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// In microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let of = |values: &[u64], percent| {
            let mut values: Vec<_> = values.iter().map(|ms| Duration::from_millis(*ms)).collect();
            percentile(&mut values, percent).as_millis()
        };
        assert_eq!((of(&[3, 1, 2], 50), of(&[4, 1, 2, 3], 50), of(&[5], 95), of(&[], 50)), (2, 2, 5, 0));
        assert_eq!(of(&(1..=100).collect::<Vec<_>>(), 95), 95);
    }
}
