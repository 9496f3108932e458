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

/// divan prints `├─ name  fastest │ slowest │ median │ mean │ …` and below it, after a line `alloc:`, the numbers
/// of allocations in the same columns; nothing when there were none.
fn find(text: &str, name: &str) -> Option<Offline> {
    let mut lines = text.lines().skip_while(|line| !line.contains(&format!("─ {name} ")));
    let microseconds = microseconds(column(lines.next()?, 2)?)?;
    let own: Vec<&str> = lines.take_while(|line| !line.contains("─ ")).collect();
    let place = own.iter().position(|line| line.contains(" alloc:"));
    let count = place.and_then(|place| column(own.get(place + 1)?, 2)?.parse().ok());
    Some(Offline { microseconds, allocations: count.unwrap_or(0.0) })
}

fn column(line: &str, place: usize) -> Option<&str> {
    line.rsplit('│').nth(line.matches('│').count().checked_sub(place)?).map(str::trim)
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
