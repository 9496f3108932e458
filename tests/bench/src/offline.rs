//! Reads the table that the bench `offline` printed, so that its figures stand in ours.

use std::fs;
use std::path::Path;

use crate::Failure;

/// What one benchmark of divan took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offline {
    pub(crate) microseconds: f64,
    pub(crate) allocations: f64,
}

/// The medians of the benchmark called `name`.
pub(crate) fn read(path: &Path, name: &str) -> Result<Offline, Failure> {
    let text = fs::read_to_string(path)?;
    find(&text, name).ok_or_else(|| format!("{} has no benchmark {name}", path.display()).into())
}

/// divan prints `├─ name  fastest │ slowest │ median │ mean │ samples │ iters` and below it, after the lines `alloc:` and
/// `grow:`, how many there were, in the same columns; nothing when there were none.
fn find(text: &str, name: &str) -> Option<Offline> {
    let mut lines = text.lines().skip_while(|line| !line.contains(&format!("─ {name} ")));
    let microseconds = microseconds(median(lines.next()?)?)?;
    let own: Vec<&str> = lines.take_while(|line| !line.contains("─ ")).collect();
    let count = |kind: &str| {
        let place = own.iter().position(|line| line.trim_start_matches(['│', ' ']).starts_with(kind))?;
        median(own.get(place + 1)?)?.parse::<f64>().ok()
    };
    Some(Offline {
        microseconds,
        allocations: count("alloc:").unwrap_or(0.0) + count("grow:").unwrap_or(0.0),
    })
}

/// Three columns follow the median's.
fn median(line: &str) -> Option<&str> {
    line.rsplit('│').nth(3).map(str::trim)
}

fn microseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once(' ')?;
    let factor = match unit.trim() {
        "ns" => 1e-3,
        "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
Timer precision: 20 ns
offline          fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ all_but_rsa   3.541 µs      │ 1.318 ms      │ 3.652 µs      │ 5.137 µs      │ 2000    │ 2000
│                max alloc:    │               │               │               │         │
│                  27          │ 27            │ 28            │ 27            │         │
│                  5.794 KB    │ 5.794 KB      │ 5.794 KB      │ 5.794 KB      │         │
│                alloc:        │               │               │               │         │
│                  40          │ 41            │ 42            │ 43            │         │
│                  6.406 KB    │ 6.406 KB      │ 6.406 KB      │ 6.406 KB      │         │
│                grow:         │               │               │               │         │
│                  3           │ 3             │ 3             │ 3             │         │
╰─ answer_alone  236.9 ns      │ 4.994 µs      │ 244.4 ns      │ 252.5 ns      │ 2000    │ 16000
                 alloc:        │               │               │               │         │
                   10          │ 10            │ 10            │ 10            │         │
";

    #[test]
    fn medians_are_found() {
        assert_eq!(find(PRINTED, "all_but_rsa"), Some(Offline { microseconds: 3.652, allocations: 45.0 }));
        let answer = find(PRINTED, "answer_alone").map(|answer| (answer.microseconds * 10.0).round());
        assert_eq!(answer, Some(2.0), "nanoseconds are read too");
        assert_eq!(find(PRINTED, "answer_alone").map(|answer| answer.allocations), Some(10.0));
        assert_eq!(find(PRINTED, "alone"), None);
    }
}
