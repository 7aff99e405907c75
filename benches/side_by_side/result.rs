//! What was measured, held against what it should be.

use std::fmt::Write as _;

use super::support::Size;
use super::timing::{Contender, Measured, race};
use std::path::Path;

/// A race, and what is claimed of it.
pub(crate) struct Row {
    /// What it is called; words of the command line choose rows by it.
    pub(crate) name: String,
    /// The repository it ran in, for the chart.
    pub(crate) size: Option<Size>,
    /// The commands, in the order in which they ran.
    pub(crate) measured: Vec<Measured>,
    claims: Vec<Claim>,
    /// What a reader has to know, in sentences.
    pub(crate) note: String,
}

/// What a ratio or an amount should be.
struct Claim {
    /// The target's number.
    target: u8,
    what: String,
    /// None where one side of it was not there to be measured.
    value: Option<f64>,
    bound: Bound,
}

/// Up to where, or from where on, a claim holds.
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Claim {
    fn told(&self, row: &str) -> String {
        let (sign, limit) = match self.bound {
            Bound::AtMost(limit) => ("≤", limit),
            Bound::AtLeast(limit) => ("≥", limit),
        };
        let verdict = match (self.value, &self.bound) {
            (None, _) => "not measured",
            (Some(value), Bound::AtMost(limit)) if value <= *limit => "PASS",
            (Some(value), Bound::AtLeast(limit)) if value >= *limit => "PASS",
            _ => "**MISS**",
        };
        let value = self.value.map_or("–".into(), figure);
        let Claim { target, what, .. } = self;
        format!("| {target} | {row} | {what} | {value} | {sign} {limit} | {verdict} |\n")
    }
}

/// The head of the table of claims.
pub(crate) const CLAIMS: &str =
    "| # | row | what | measured | target | |\n|---|---|---|---|---|---|\n";
/// The head of the table of times.
pub(crate) const TIMES: &str = "| row | command | median ms | fastest–slowest | × the first | peak MiB | rounds |\n\
                                |---|---|---|---|---|---|---|\n";

impl Row {
    /// Lets contenders race in a folder.
    pub(crate) fn race(name: &str, folder: &Path, contenders: &[Contender]) -> Self {
        let (name, measured) = (name.to_owned(), race(folder, contenders));
        Row { name, size: None, measured, claims: Vec::new(), note: String::new() }
    }

    /// Gives what a contender took.
    pub(crate) fn find(&self, name: &str) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.name == name)
    }

    /// Gives how much longer one contender takes than another.
    pub(crate) fn ratio(&self, own: &str, of: &str) -> Option<f64> {
        Some(self.find(own)?.ratio(self.find(of)?))
    }

    /// Claims that a contender takes at most so much of another's time.
    pub(crate) fn at_most(&mut self, target: u8, own: &str, of: &str, limit: f64) {
        let value = self.ratio(own, of);
        self.claim(target, format!("{own} / {of}"), value, Bound::AtMost(limit));
    }

    /// Claims that another takes at least so many times a contender's time.
    pub(crate) fn at_least(&mut self, target: u8, other: &str, of: &str, limit: f64) {
        let value = self.ratio(other, of);
        self.claim(target, format!("{other} / {of}"), value, Bound::AtLeast(limit));
    }

    /// Claims that a contender holds at most another's memory.
    pub(crate) fn holds_at_most(&mut self, target: u8, own: &str, of: &str) {
        let peak = |name| self.find(name).and_then(|measured| measured.peak);
        let value = peak(own).zip(peak(of)).map(|(own, of)| own / of);
        self.claim(target, format!("memory, {own} / {of}"), value, Bound::AtMost(1.0));
    }

    /// Claims that a contender holds at most so many MiB.
    pub(crate) fn holds(&mut self, target: u8, own: &str, limit: f64) {
        let value = self.find(own).and_then(|measured| measured.peak);
        self.claim(target, format!("memory, {own}, MiB"), value, Bound::AtMost(limit));
    }

    fn claim(&mut self, target: u8, what: String, value: Option<f64>, bound: Bound) {
        self.claims.push(Claim { target, what, value, bound });
    }

    /// Gives the lines of the table of claims, each with the target's number.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (u8, String)> + '_ {
        self.claims.iter().map(|claim| (claim.target, claim.told(&self.name)))
    }

    /// Gives the lines of the table of times.
    pub(crate) fn times(&self) -> String {
        let mut told = String::new();
        for measured in &self.measured {
            let ratio = measured.ratio(&self.measured[0]);
            let extreme = |pick: fn(f64, f64) -> f64, from| {
                figure(measured.taken.iter().copied().fold(from, pick))
            };
            let (least, most) = (extreme(f64::min, f64::MAX), extreme(f64::max, 0.0));
            let peak = measured.peak.map_or("–".into(), |peak| format!("{peak:.0}"));
            let (name, ms, rounds) = (&measured.name, figure(measured.ms()), measured.taken.len());
            let row = &self.name;
            writeln!(
                told,
                "| {row} | {name} | {ms} | {least}–{most} | {} | {peak} | {rounds} |",
                figure(ratio)
            )
            .expect("text grows");
        }
        told
    }
}

/// Gives a number with three digits that count.
pub(crate) fn figure(number: f64) -> String {
    match number {
        ..0.095 => format!("{number:.3}"),
        ..9.95 => format!("{number:.2}"),
        ..99.5 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
