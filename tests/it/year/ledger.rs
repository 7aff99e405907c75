//! Records written as text, by the book of the format alone: nothing of orch's library is used here, so
//! that what it reads is not what it wrote.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Files of a repository, by their paths.
pub(crate) type Files = BTreeMap<String, String>;

/// Gives a digest as records spell it.
pub(crate) fn digest(text: &str) -> String {
    format!("sha256:{}", hex(text))
}

fn hex(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// Gives the id of a run, from what it consumes: `name=path@checksum`.
pub(crate) fn run_id(task: &str, stage: &str, inputs: &[Artifact], entered: u32) -> String {
    let mut consumed: Vec<String> = inputs
        .iter()
        .map(|input| format!("{}={}@{}", input.name, input.path, input.checksum))
        .collect();
    consumed.sort();
    format!("r{}", &hex(&format!("{task}\n{stage}\n{}\n{entered}\n", consumed.join("\n")))[..10])
}

/// Evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) checksum: String,
}

impl Artifact {
    /// Takes a name, a file and what it holds.
    pub(crate) fn of(name: &str, path: &str, text: &str) -> Self {
        Artifact { name: name.into(), path: path.into(), checksum: digest(text) }
    }
}

/// Gives a list of evidence under a key, as a block of a payload.
pub(crate) fn listed(key: &str, artifacts: &[Artifact]) -> String {
    if artifacts.is_empty() {
        return String::new();
    }
    let mut text = format!("  {key}:\n");
    for Artifact { name, path, checksum } in artifacts {
        writeln!(text, "    - {{name: {name}, path: \"{path}\", checksum: \"{checksum}\"}}")
            .unwrap();
    }
    text
}

/// Seconds since the year began, as records write moments.
pub(crate) fn moment(second: i64) -> String {
    let (day, rest) = (second / 86_400, second % 86_400);
    let (month, day) = date(day);
    format!("{YEAR}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The year: a leap year, long gone.
pub(crate) const YEAR: i64 = 2024;
const MONTHS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Gives month and day of a day of the year, both from 1.
pub(crate) fn date(day: i64) -> (usize, i64) {
    let mut left = day;
    for (index, length) in MONTHS.iter().enumerate() {
        if left < *length {
            return (index + 1, left + 1);
        }
        left -= length;
    }
    panic!("day {day} lies behind the year")
}

/// One ledger that grows entry by entry, each chained to the one before.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: String,
    sequence: u32,
    previous: Option<String>,
    /// The last entry's second.
    pub(crate) now: i64,
}

impl Ledger {
    /// Begins a task's ledger, in the folder of the month in which it is opened.
    pub(crate) fn task(id: &str, now: i64) -> Self {
        let (month, _) = date(now / 86_400);
        Self::at(format!(".orch/tasks/{YEAR}-{month:02}/{id}"), now)
    }

    /// Begins an incident's or a halt's ledger.
    pub(crate) fn aside(shelf: &str, id: &str, now: i64) -> Self {
        Self::at(format!(".orch/{shelf}/{id}"), now)
    }

    fn at(folder: String, now: i64) -> Self {
        Ledger { folder, sequence: 0, previous: None, now }
    }

    /// Writes the next entry; `body` is its payload, indented by two. Gives its file.
    pub(crate) fn say(&mut self, files: &mut Files, kind: &str, actor: &str, body: &str) -> String {
        self.sequence += 1;
        let mut text = format!("{kind}:\n{body}entry:\n  sequence: {}\n", self.sequence);
        if let Some(previous) = &self.previous {
            writeln!(text, "  previous: \"{previous}\"").unwrap();
        }
        let at = moment(self.now);
        writeln!(text, "  recorded_at: \"{at}\"\n  actor: {actor}\n  session: of-{actor}").unwrap();
        self.previous = Some(digest(&text));
        let path = format!("{}/{:04}-{kind}.yaml", self.folder, self.sequence);
        files.insert(path.clone(), text);
        path
    }

    /// Gives the number of the last entry.
    pub(crate) fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }
}
