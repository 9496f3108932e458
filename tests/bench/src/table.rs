//! What was measured, as a table for people and as JSON for machines.

use std::fmt;

use serde::Serialize;

use crate::rounds::{Rounds, median, middle_half};

/// What a figure must not exceed, or must reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    baseline: Option<f64>,
    cbpii: f64,
    /// What the target speaks of, when that is the ratio: its median and the middle half of the rounds.
    ratio: Option<(f64, f64, f64)>,
    target: Option<Target>,
    /// Whether the target is about the ratio; else it is about the figure.
    target_is_ratio: bool,
    met: Option<bool>,
    rounds: Option<Rounds>,
}

impl Row {
    /// Library against baseline; the target is about their ratio.
    pub(crate) fn compared(
        what: impl Into<String>,
        unit: &'static str,
        rounds: Rounds,
        target: Option<Target>,
    ) -> Self {
        let ratios = rounds.ratios();
        let (low, high) = middle_half(&ratios);
        let ratio = median(&ratios);
        Self {
            what: what.into(),
            unit,
            baseline: Some(median(&rounds.baseline)),
            cbpii: median(&rounds.library),
            ratio: Some((ratio, low, high)),
            target,
            target_is_ratio: true,
            met: target.map(|target| target.is_met(ratio)),
            rounds: Some(rounds),
        }
    }

    /// Library against baseline; the target is about the library's figure.
    pub(crate) fn figure_compared(
        what: impl Into<String>,
        unit: &'static str,
        rounds: Rounds,
        target: Target,
    ) -> Self {
        let row = Self::compared(what, unit, rounds, None);
        let met = Some(target.is_met(row.cbpii));
        Self { target: Some(target), target_is_ratio: false, met, ..row }
    }

    /// A figure that has a target of its own, beside the baseline's if there is one.
    pub(crate) fn figure(
        what: impl Into<String>,
        unit: &'static str,
        baseline: Option<f64>,
        cbpii: f64,
        target: Option<Target>,
    ) -> Self {
        let met = target.map(|target| target.is_met(cbpii));
        Self {
            what: what.into(),
            unit,
            baseline,
            cbpii,
            ratio: None,
            target,
            target_is_ratio: false,
            met,
            rounds: None,
        }
    }
}

/// The figure with as many decimals as its size deserves.
fn shown(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1000.0 => {
            let digits = format!("{figure:.0}");
            let mut grouped = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place) % 3 == 0 && grouped != "-" {
                    grouped.push(' ');
                }
                grouped.push(digit);
            }
            grouped
        }
        size if size >= 100.0 || figure.fract() == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// All lines.
#[derive(Debug, Serialize)]
pub(crate) struct Table(pub(crate) Vec<Row>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["what", "unit", "baseline", "cbpii", "ratio (middle half)", "target", ""].map(str::to_owned);
        let mut lines = vec![head];
        for row in &self.0 {
            let ratio = row.ratio.map(|(ratio, low, high)| format!("{ratio:.2} ({low:.2} to {high:.2})"));
            // Beside a ratio, a target that is not about it says its unit.
            let unit = if row.ratio.is_some() && !row.target_is_ratio { row.unit } else { "" };
            let target = row.target.map(|target| match target {
                Target::AtMost(limit) => format!("<= {} {unit}", shown(limit)),
                Target::AtLeast(limit) => format!(">= {} {unit}", shown(limit)),
            });
            let target = target.map(|target| target.trim_end().to_owned());
            let verdict = row.met.map(|met| if met { "ok" } else { "over" });
            lines.push([
                row.what.clone(),
                row.unit.to_owned(),
                row.baseline.map(shown).unwrap_or_default(),
                shown(row.cbpii),
                ratio.unwrap_or_default(),
                target.unwrap_or_default(),
                verdict.unwrap_or_default().to_owned(),
            ]);
        }
        let width =
            |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 7] = std::array::from_fn(width);
        for (place, line) in lines.iter().enumerate() {
            let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
                2 | 3 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            if place == 0 {
                writeln!(f, "{}", "-".repeat(widths.iter().sum::<usize>() + 12))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown: Vec<_> = [1_234_567.0, 1000.4, -60_000.0, 999.6, 24.33, 1.104, 3.0, 0.0].map(shown).into();
        assert_eq!(shown, ["1 234 567", "1 000", "-60 000", "1000", "24.3", "1.10", "3", "0"]);
    }

    #[test]
    fn a_missed_target_is_said() {
        let rounds = Rounds { baseline: vec![1.0, 1.0, 1.0], library: vec![1.2, 1.3, 1.1] };
        let rows = vec![
            Row::compared("CPU", "ms", rounds, Some(Target::AtMost(1.1))),
            Row::figure("reconnects", "", None, 0.0, Some(Target::AtMost(0.0))),
        ];
        let text = Table(rows).to_string();
        assert!(text.contains("1.20 (1.10 to 1.20)") && text.contains("over"), "{text}");
        assert!(text.lines().last().is_some_and(|line| line.ends_with("ok")), "{text}");
    }

    #[test]
    fn a_target_of_the_figure_stands_beside_the_ratio() {
        let rounds = || Rounds { baseline: vec![0.5], library: vec![4.0] };
        for (limit, verdict) in [(5.0, "<= 5 ms  ok"), (3.0, "<= 3 ms  over")] {
            let row = Row::figure_compared("load", "ms", rounds(), Target::AtMost(limit));
            let text = Table(vec![row]).to_string();
            assert!(text.contains("8.00 (8.00 to 8.00)") && text.contains(verdict), "{text}");
        }
    }
}
