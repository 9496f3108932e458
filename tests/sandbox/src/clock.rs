//! The bank's own clock, which a test moves.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

use crate::lock::Locked as _;

/// Real time plus an offset. Certificates are always judged by real time, as the client's TLS does.
#[derive(Default)]
pub(crate) struct Clock {
    /// Nanoseconds ahead of real time; negative when behind.
    offset: Mutex<i128>,
}

impl Clock {
    pub(crate) fn now(&self) -> SystemTime {
        shift(SystemTime::now(), *self.offset.locked())
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.offset.locked() += i128::try_from(by.as_nanos()).unwrap_or(i128::MAX);
    }

    pub(crate) fn set(&self, to: SystemTime) {
        *self.offset.locked() = nanos(to) - nanos(SystemTime::now());
    }

    pub(crate) fn reset(&self) {
        *self.offset.locked() = 0;
    }
}

fn nanos(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    }
}

fn shift(time: SystemTime, nanos: i128) -> SystemTime {
    let distance = nanos.unsigned_abs();
    let seconds = u64::try_from(distance / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(distance % 1_000_000_000).unwrap_or(0);
    let distance = Duration::new(seconds, rest);
    let moved = if nanos >= 0 { time.checked_add(distance) } else { time.checked_sub(distance) };
    moved.unwrap_or(time)
}

/// `2026-11-23T13:18:33` followed by `zone`.
pub(crate) fn iso(time: SystemTime, zone: &str) -> String {
    let at = OffsetDateTime::from(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_both_ways_and_back() {
        let clock = Clock::default();
        clock.advance(Duration::from_secs(86_400 * 180));
        assert!(clock.now() > SystemTime::now() + Duration::from_secs(86_400 * 179));
        clock.set(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        assert_eq!(iso(clock.now(), "Z").get(..11), Some("2001-09-09T"));
        clock.reset();
        assert!(clock.now() <= SystemTime::now() + Duration::from_secs(1));
    }
}
