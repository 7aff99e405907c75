//! The walk over all requirements: each is answered by something that is there, and shown by a test that
//! names its number. `docs/requirements.md` is the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Team, TestRepo, is_current};

const TOP: &str = env!("CARGO_MANIFEST_DIR");
/// How many requirements each of the four systems has that orch takes the place of.
const SYSTEMS: [(&str, u32, &str); 4] = [
    ("R000", 59, "A runbook for agents that make trading strategies and models"),
    ("R001", 39, "A playbook for an autonomous loop in lanes"),
    ("R002", 45, "A controller for a fleet of coding agents"),
    ("R003", 45, "A runbook for a trading desk of agents"),
];

/// One requirement, as `fixtures/requirements.txt` has it.
struct Row {
    number: String,
    asks: String,
    does: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(format!("{TOP}/fixtures/requirements.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.map(|line| {
        let [number, asks, does] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("three fields, please: {line}");
        };
        Row { number: number.into(), asks: asks.into(), does: does.into() }
    });
    rows.collect()
}

/// A test: its file from the top of the repository, and its name.
type Shown = (String, String);

/// Gives the tests that name each number in the comment above them.
fn shown() -> BTreeMap<String, BTreeSet<Shown>> {
    let mut shown: BTreeMap<String, BTreeSet<Shown>> = BTreeMap::new();
    for file in ["tests", "src"].iter().flat_map(|folder| sources(&Path::new(TOP).join(folder))) {
        let name = file.strip_prefix(TOP).unwrap().to_str().unwrap().replace('\\', "/");
        let (mut comment, mut tests) = (String::new(), false);
        for line in fs::read_to_string(&file).unwrap().lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                comment.push_str(text);
            } else if line.starts_with("#[") {
                tests |= line == "#[test]";
            } else {
                let function = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
                for number in numbers(&comment).iter().filter(|_| tests) {
                    let test = function.map(|function| (name.clone(), function.to_owned()));
                    shown.entry(number.clone()).or_default().extend(test);
                }
                (comment, tests) = (String::new(), false);
            }
        }
    }
    shown
}

/// Gives every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            found.push(entry);
        }
    }
    found
}

/// Reads the numbers that a comment names: `R000-1`, and with `R000-3 to R000-5` all between.
fn numbers(comment: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut last: Option<(String, u32)> = None;
    let mut through = false;
    for word in comment.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = bare
            .split_once('-')
            .filter(|(system, _)| system.len() == 4 && system.starts_with("R00"));
        let number =
            number.and_then(|(system, digits)| Some((system.to_owned(), digits.parse().ok()?)));
        if let Some((system, to)) = &number {
            let first = match &last {
                Some((before, from)) if through && before == system => from + 1,
                _ => *to,
            };
            found.extend((first..=*to).map(|at| format!("{system}-{at}")));
            last = number;
        }
        through = bare == "to";
    }
    found
}

#[test]
fn numbers_are_read_out_of_comments() {
    let read = |text: &str| numbers(text).join(" ");
    assert_eq!(read("R000-1, R001-22: both."), "R000-1 R001-22");
    assert_eq!(read("R000-3 to R000-5, R003-7."), "R000-3 R000-4 R000-5 R003-7");
    assert_eq!(read("Attack 14, R00-1, R000-x, (R002-9)"), "R002-9");
}

/// Every number is there once, in order, and shown by a test.
#[test]
fn every_requirement_is_shown() {
    let rows = rows();
    let expected = SYSTEMS
        .iter()
        .flat_map(|(system, count, _)| (1..=*count).map(move |at| format!("{system}-{at}")));
    let numbers: Vec<&String> = rows.iter().map(|row| &row.number).collect();
    assert_eq!(numbers, expected.collect::<Vec<_>>().iter().collect::<Vec<_>>());
    let shown = shown();
    let missing: Vec<&&String> =
        numbers.iter().filter(|number| !shown.contains_key(**number)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}

/// What is said to answer a requirement is there: commands with their options, checks, templates.
#[test]
fn what_answers_a_requirement_is_there() {
    let team = Team::over(TestRepo::new());
    let policies: String = ["strategy", "model", "torghut", "trader", "hedge"]
        .iter()
        .map(|name| fs::read_to_string(format!("{TOP}/templates/{name}.yaml")).unwrap())
        .collect();
    let schemas: BTreeSet<String> = fs::read_dir(format!("{TOP}/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().replace(".schema.json", ""))
        .collect();
    for Row { number, does, .. } in rows() {
        let mut before = "";
        for (at, part) in does.split('`').enumerate() {
            if at % 2 == 0 {
                before = part;
                continue;
            }
            let there = match part.strip_prefix("orch ") {
                Some(command) => is_command(&team, command),
                None if before.contains("check") => orch::checks::find(part).is_some(),
                None if before.contains("record") => schemas.contains(part),
                None if before.contains("stage") || before.contains("procedure") => {
                    policies.contains(part)
                }
                None => orch::checks::find(part).is_some() || !part.is_empty(),
            };
            assert!(there, "{number}: there is no `{part}`");
        }
    }
}

/// Tells whether a command is there, with the options that are named.
fn is_command(team: &Team, command: &str) -> bool {
    let mut words: Vec<&str> =
        command.split(' ').take_while(|word| !word.starts_with("--")).collect();
    words.push("--help");
    let said = team.try_orch("", &words);
    let mut options = command.split(' ').filter(|word| word.starts_with("--"));
    said.code == 0 && options.all(|option| said.out.contains(option))
}

const HEADING: &str = "\
# What is asked for, and where it is shown

orch takes the place of four systems that teams run today: pages of rules, and scripts. Each line is one
thing that they ask for. What is a team's own business (a backtest, an order, a model) is a stage, a job or a
step whose command is theirs, and whose result orch records, checks and gates. This table is written by a
test, which holds that each number is there, that what answers it exists, and that a test shows it.
";

/// So many tests are named for a number; the rest are counted.
const NAMED: usize = 3;

fn table() -> String {
    let (rows, shown) = (rows(), shown());
    let mut table = HEADING.to_owned();
    for (system, _, title) in SYSTEMS {
        write!(table, "\n## {system}: {title}\n\n| number | what it asks for | what does it | shown by |\n|---|---|---|---|\n").unwrap();
        for row in rows.iter().filter(|row| row.number.starts_with(system)) {
            let tests = shown.get(&row.number).into_iter().flatten();
            let mut tests: Vec<&Shown> = tests.collect();
            // Whole stories tell more than parts.
            tests.sort_by_key(|(file, _)| file.starts_with("src"));
            let links = tests.iter().take(NAMED);
            let links =
                links.map(|(file, name)| format!("[{}](../{file})", name.replace('_', " ")));
            let mut links = links.collect::<Vec<_>>().join("; ");
            if tests.len() > NAMED {
                write!(links, "; and {} more", tests.len() - NAMED).unwrap();
            }
            writeln!(table, "| {} | {} | {} | {links} |", row.number, row.asks, row.does).unwrap();
        }
    }
    table
}

/// The table is written from the rows and the tests.
#[test]
fn the_table_is_current() {
    is_current("docs/requirements.md", &table());
}
