//! Known ways around a guard of this kind, each tried on a real repository with real commands.
//!
//! A row of a file says what is tried, the verdict owed and what says so; its function tries all
//! variants, and shows that what is honest passes. `docs/attacks.md` is the table of all rows.

mod seen;
mod stages;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::is_current;

use seen::{Owed, Seen, settle_names};

/// An attempt to get round the guard.
struct Attack {
    number: u16,
    /// What is tried.
    title: &'static str,
    owed: Owed,
    /// The checks that say so, or words that are said; each variant meets one of them.
    says: &'static [&'static str],
    /// The name of what tries it.
    name: &'static str,
    run: fn() -> Vec<Seen>,
}

/// Makes the rows of a file, and a test of each.
macro_rules! attacks {
    ($($run:ident($number:literal, $title:literal, $owed:ident, [$($says:literal),*])),* $(,)?) => {
        pub(super) static ATTACKS: &[$crate::attacks::Attack] = &[$($crate::attacks::Attack {
            number: $number,
            title: $title,
            owed: $crate::attacks::Owed::$owed,
            says: &[$($says),*],
            name: stringify!($run),
            run: $run,
        }),*];

        mod tried {
            $(#[test]
            fn $run() {
                $crate::attacks::settle(super::ATTACKS, stringify!($run));
            })*
        }
    };
}

mod around;
mod rules;
mod paths;
mod modes;
mod graph;
mod records;
mod people;
mod lives;
mod input;
mod trust;

/// All rows, in the order of their files.
const FILES: &[&[Attack]] = &[
    around::ATTACKS,
    rules::ATTACKS,
    paths::ATTACKS,
    modes::ATTACKS,
    graph::ATTACKS,
    records::ATTACKS,
    people::ATTACKS,
    lives::ATTACKS,
    input::ATTACKS,
    trust::ATTACKS,
];

/// Numbers that no test can try, each with its reason.
const BEYOND: &[(u16, &str, &str)] = &[(
    122,
    "someone with a write token sets the required status by hand",
    "out of reach of any program in the repository: require the status from the one app that runs it",
)];

/// Every number that is answered here. They stay what they are; the gaps are meant.
const NUMBERS: &[u16] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28,
    29, 30, 31, 33, 34, 35, 37, 38, 39, 40, 41, 43, 44, 45, 46, 47, 49, 50, 51, 53, 55, 56, 57, 58,
    59, 62, 64, 67, 69, 70, 71, 72, 73, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 90, 91,
    93, 94, 95, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 112, 113, 114, 116,
    117, 118, 119, 121, 122,
];

/// Tries what a row's function tries, and asserts that each variant ends as owed.
fn settle(rows: &[Attack], name: &str) {
    let attack = rows.iter().find(|attack| attack.name == name).expect("it made this test");
    let all = (attack.run)();
    assert!(!all.is_empty(), "nothing was tried");
    all.iter().for_each(|seen| seen.settle(attack.owed, attack.says));
    settle_names(&all, attack.owed, attack.says);
}

fn rows() -> Vec<&'static Attack> {
    let mut rows: Vec<_> = FILES.iter().copied().flatten().collect();
    // The sort is stable: the rows of one number stay in their order.
    rows.sort_by_key(|attack| attack.number);
    rows
}

#[test]
fn every_number_is_answered() {
    let tried = rows().into_iter().map(|attack| attack.number);
    let answered: BTreeSet<u16> = tried.chain(BEYOND.iter().map(|(number, ..)| *number)).collect();
    let owed: BTreeSet<u16> = NUMBERS.iter().copied().collect();
    assert_eq!(answered, owed);
}

#[test]
fn a_row_names_checks_or_words() {
    for attack in rows() {
        for name in attack.says {
            let known =
                orch::checks::find(name).is_some() || name.contains(' ') || name.starts_with("--");
            assert!(known, "{}: {name} is neither a check nor words", attack.number);
        }
        let speechless = matches!(attack.owed, Owed::Err | Owed::Ok);
        assert!(speechless || !attack.says.is_empty(), "{}: nothing says so", attack.number);
    }
}

/// The table is written from the rows.
#[test]
fn the_table_is_current() {
    is_current("docs/attacks.md", &table());
}

const HEADING: &str = "\
# Ways around the guard

Each row is tried on a real repository, with real Git commands, and its verdict is asserted; a number
with several verdicts has several rows. *Refused* is exit code 1, or a Git command that a hook refuses;
*could not look* is exit code 2, which is never a pass. This table is written by the tests that try it.

| number | what is tried | verdict | what says so |
|--:|---|---|---|
";

fn table() -> String {
    let mut lines: Vec<(u16, String)> = rows()
        .into_iter()
        .map(|attack| {
            let says: Vec<String> = attack.says.iter().map(|name| in_words(name)).collect();
            let Attack { number, title, owed, .. } = attack;
            (*number, format!("| {number} | {title} | {} | {} |", owed.word(), says.join(", ")))
        })
        .collect();
    lines.extend(BEYOND.iter().map(|(number, title, why)| {
        (*number, format!("| {number} | {title} | not tried | {why} |"))
    }));
    lines.sort_by_key(|(number, _)| *number);
    let mut table = HEADING.to_owned();
    lines.iter().for_each(|(_, line)| writeln!(table, "{line}").unwrap());
    table
}

fn in_words(name: &str) -> String {
    match orch::checks::find(name) {
        Some(_) => format!("`{name}`"),
        None => format!("“{name}”"),
    }
}
