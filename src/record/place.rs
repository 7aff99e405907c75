//! Where records live, and what their file names promise (design, section 3).

use super::{Payload, Problem, Record};
use crate::source::{RepoPath, TaskId};

/// Where the ledgers of tasks lie, by month.
pub const TASKS: &str = ".orch/tasks";
/// Where those of incidents lie.
pub const INCIDENTS: &str = ".orch/incidents";
/// Where those of halts lie.
pub const HALTS: &str = ".orch/halts";
/// Where decisions lie.
const DECISIONS: &str = ".orch/decisions";

/// The ledger, or shelf, that a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// A task's ledger.
    Task(TaskId),
    /// An incident's ledger.
    Incident(TaskId),
    /// A halt's ledger.
    Halt(TaskId),
    /// A decision, which stands alone.
    Decision,
}

impl Home {
    /// Gives the id of the ledger; none for a decision.
    pub fn id(&self) -> Option<&TaskId> {
        match self {
            Home::Task(id) | Home::Incident(id) | Home::Halt(id) => Some(id),
            Home::Decision => None,
        }
    }

    /// Gives the folder of the ledger; `month` is that of a task's opening, and says nothing of other
    /// ledgers.
    pub fn folder(&self, month: &str) -> RepoPath {
        let shelf = |name| RepoPath::from(name);
        match self {
            Home::Task(id) => shelf(TASKS).join(month).join(id.as_str()),
            Home::Incident(id) => shelf(INCIDENTS).join(id.as_str()),
            Home::Halt(id) => shelf(HALTS).join(id.as_str()),
            Home::Decision => shelf(DECISIONS),
        }
    }
}

/// A record's path and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordPath {
    /// The path itself.
    pub path: RepoPath,
    /// Which ledger it belongs to.
    pub home: Home,
    /// The month's folder of a task, `2026-11`.
    pub month: Option<String>,
    /// Its place in the ledger; none for a decision.
    pub sequence: Option<u32>,
    /// The kind that the name promises.
    pub word: String,
}

/// Tells whether a path lies in one of the folders that hold only records.
pub fn is_record_path(path: &RepoPath) -> bool {
    [TASKS, INCIDENTS, HALTS, DECISIONS]
        .into_iter()
        .any(|folder| path.is_below(folder) || path.as_bytes() == folder.as_bytes())
}

/// Gives where a halt keeps the state of everything in its scope (R003-13): the one kind of file
/// that lies beside records and is none.
pub fn snapshot_path(halt: &TaskId) -> RepoPath {
    Home::Halt(halt.clone()).folder("").join("snapshot.json")
}

/// Gives the halt whose snapshot lies at a path; none if the path is of another form.
pub fn snapshot_of(path: &RepoPath) -> Option<TaskId> {
    let parts: Vec<&str> = path.to_str()?.split('/').collect();
    match parts.as_slice() {
        [".orch", "halts", id, "snapshot.json"] => id.parse().ok(),
        _ => None,
    }
}

/// The ending of a file that holds a record's signature, beside it.
const SIGNATURE: &str = ".sig";

/// Gives where a record's signature lies.
pub fn signature_path(record: &RepoPath) -> RepoPath {
    RepoPath::from_git([record.as_bytes(), SIGNATURE.as_bytes()].concat())
}

/// Gives the record that a file beside it signs; none if the path is of another form.
pub fn signed_path(path: &RepoPath) -> Option<RepoPath> {
    let record = RepoPath::from(path.to_str()?.strip_suffix(SIGNATURE)?);
    RecordPath::parse(&record).is_ok().then_some(record)
}

/// Gives the record that a path is, or whose signature it is: a signature goes where its record goes.
pub fn record_of(path: &RepoPath) -> RepoPath {
    signed_path(path).unwrap_or_else(|| path.clone())
}

/// Tells whether a path lies in `.orch/`, under any spelling of that name (attack 37).
pub fn belongs_to_orch(path: &RepoPath) -> bool {
    // Windows also ends a folder's name at a backslash, and takes what follows a colon for a stream.
    let ends = |byte: &u8| matches!(byte, b'/' | b'\\' | b':');
    let first = path.as_bytes().split(ends).next().unwrap_or_default();
    let visible: String = String::from_utf8_lossy(first)
        .chars()
        .filter(|character| !crate::source::path::unprintable(*character))
        .collect();
    let name = visible.trim_end_matches(['.', ' ']);
    name.eq_ignore_ascii_case(".orch") || is_short_name(name)
}

/// Windows gives `.orch` another name, of the form `ORCH~1`, as it does to `.git`.
fn is_short_name(name: &str) -> bool {
    let parts = name.split_once('~').filter(|(stem, _)| stem.eq_ignore_ascii_case("orch"));
    parts.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

impl RecordPath {
    /// Reads a path; gives the reason in words if no record may stand there.
    pub fn parse(path: &RepoPath) -> Result<Self, String> {
        let text = path.to_str().ok_or("its name is not UTF-8")?;
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [".orch", "tasks", month, id, name] if is_month(month) => {
                Self::entry(path, Home::Task(id_of(id)?), Some((*month).to_owned()), name)
            }
            [".orch", "incidents", id, name] => {
                Self::entry(path, Home::Incident(id_of(id)?), None, name)
            }
            [".orch", "halts", id, name] => Self::entry(path, Home::Halt(id_of(id)?), None, name),
            [".orch", "decisions", name] => Self::decision(path, name),
            _ => Err("a task's entry is `.orch/tasks/YYYY-MM/TASK/NNNN-KIND.yaml`".into()),
        }
    }

    fn entry(
        path: &RepoPath,
        home: Home,
        month: Option<String>,
        name: &str,
    ) -> Result<Self, String> {
        let (sequence, word) = entry_name(name)?;
        let word = word.to_owned();
        Ok(RecordPath { path: path.clone(), home, month, sequence: Some(sequence), word })
    }

    fn decision(path: &RepoPath, name: &str) -> Result<Self, String> {
        let rule = "a decision is `.orch/decisions/YYYY-MM-DD-SLUG.yaml`";
        let stem = name.strip_suffix(".yaml").ok_or(rule)?;
        let (day, slug) = stem.split_at_checked(10).ok_or(rule)?;
        let slug = slug.strip_prefix('-').filter(|slug| !slug.is_empty()).ok_or(rule)?;
        if !is_day(day) {
            return Err(rule.into());
        }
        if !is_slug(slug) {
            return Err("a decision's slug is lowercase letters, digits and `-`".into());
        }
        Ok(RecordPath {
            path: path.clone(),
            home: Home::Decision,
            month: None,
            sequence: None,
            word: "decision".into(),
        })
    }

    /// Gives the path of an entry of a ledger; `month` is that of a task's opening, and says nothing
    /// of other ledgers. A decision is no entry: it is placed by [`RecordPath::parse`].
    pub fn of(home: &Home, month: &str, sequence: u32, word: &str) -> Self {
        RecordPath {
            path: home.folder(month).join(&format!("{sequence:04}-{word}.yaml")),
            home: home.clone(),
            month: matches!(home, Home::Task(_)).then(|| month.to_owned()),
            sequence: Some(sequence),
            word: word.to_owned(),
        }
    }
}

/// Reads the name of an entry's file, `0003-handoff.yaml`; gives its number and its kind, or the reason in
/// words if no entry is called so.
pub fn entry_name(name: &str) -> Result<(u32, &str), String> {
    let stem = name.strip_suffix(".yaml").ok_or("an entry's name ends with `.yaml`")?;
    let (digits, word) = stem.split_once('-').ok_or("an entry is `NNNN-KIND.yaml`")?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = digits.len() == 4 || (digits.len() > 4 && !digits.starts_with('0'));
    let sequence = digits.parse().ok().filter(|sequence| plain && shortest && *sequence > 0);
    Ok((sequence.ok_or("an entry's number has four digits, from 0001")?, word))
}

fn id_of(text: &str) -> Result<TaskId, String> {
    text.parse().map_err(|fault: crate::source::id::IdFault| fault.to_string())
}

fn is_month(text: &str) -> bool {
    match text.as_bytes() {
        [year @ .., b'-', tens, ones] if year.len() == 4 => {
            let digits = year.iter().chain([tens, ones]).all(u8::is_ascii_digit);
            digits && matches!((tens, ones), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        }
        _ => false,
    }
}

/// Digits only: chrono by itself would take signs, and blanks that no reader sees, for a part of a
/// number.
fn is_day(text: &str) -> bool {
    let shaped = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    shaped && text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// Lowercase, so that no two names differ by case alone (attack 38).
fn is_slug(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Gives what a record's content says against its own file name.
pub(super) fn contradictions(record: &Record) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut misplaced = |span, message: String| {
        problems.push(Problem {
            check: "record-misplaced",
            span,
            message,
            help: "records are written by `orch`; the name of a file is part of what it says"
                .into(),
        });
    };
    let word = record.payload.word();
    if record.path.word != word {
        misplaced(
            record.heading(),
            format!("this is a `{word}`, but the file's name says `{}`", record.path.word),
        );
    }
    if record.path.sequence != record.entry.sequence {
        let says = record.entry.sequence.map_or("none".into(), |sequence| sequence.to_string());
        misplaced(
            record.envelope_field("sequence"),
            format!("the sequence is {says}, but the file's name says {}", record.sequence()),
        );
    }
    if !allowed_in(&record.path.home, &record.payload) {
        misplaced(record.heading(), format!("a `{word}` has no place in this folder"));
    }
    if let (Some((field, named)), Some(id)) = (named_task(&record.payload), record.path.home.id())
        && named != id
        // The work of an incident names the task that it takes back.
        && !matches!(record.path.home, Home::Incident(_))
    {
        misplaced(record.field(field), format!("this names `{named}`, but lies in `{id}`"));
    }
    problems
}

fn named_task(payload: &Payload) -> Option<(&'static str, &TaskId)> {
    match payload {
        Payload::Task(task) => Some(("task_id", &task.task_id)),
        Payload::Handoff(handoff) => Some(("task_id", &handoff.task_id)),
        Payload::Message(message) => Some(("task_id", &message.task_id)),
        Payload::FailureResponse(response) => Some(("task_id", &response.task_id)),
        _ => None,
    }
}

fn allowed_in(home: &Home, payload: &Payload) -> bool {
    let incident =
        matches!(payload, Payload::Incident(_) | Payload::IncidentStep(_) | Payload::Postmortem(_));
    match home {
        Home::Decision => matches!(payload, Payload::Decision(_)),
        Home::Halt(_) => matches!(payload, Payload::Halt(_) | Payload::Resume(_)),
        Home::Incident(_) => {
            incident
                || matches!(
                    payload,
                    Payload::Close(_) | Payload::Run(_) | Payload::Handoff(_) | Payload::Message(_)
                )
        }
        Home::Task(_) => !incident && !matches!(payload, Payload::Decision(_) | Payload::Halt(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_ledger_number_and_kind() {
        let path = RepoPath::from(".orch/tasks/2026-11/strat-001/0003-handoff.yaml");
        let record = RecordPath::parse(&path).expect("well placed");
        assert_eq!(record.home.id().map(TaskId::as_str), Some("strat-001"));
        assert_eq!((record.sequence, record.word.as_str()), (Some(3), "handoff"));
        let month = record.month.as_deref().expect("a task's month");
        assert_eq!(RecordPath::of(&record.home, month, 3, "handoff"), record);
        for path in
            [".orch/incidents/inc-001/0001-incident.yaml", ".orch/halts/h-001/0002-resume.yaml"]
        {
            let record = RecordPath::parse(&RepoPath::from(path)).expect("well placed");
            let sequence = record.sequence.expect("an entry");
            assert_eq!(RecordPath::of(&record.home, "2026-11", sequence, &record.word), record);
        }
    }

    #[test]
    fn anything_else_is_misplaced() {
        for path in [
            ".orch/tasks/strat-001/0001-task.yaml",
            ".orch/tasks/2026-13/strat-001/0001-task.yaml",
            ".orch/tasks/+226-11/strat-001/0001-task.yaml",
            ".orch/tasks/\u{85}71-11/strat-001/0001-task.yaml",
            ".orch/tasks/2026- 1/strat-001/0001-task.yaml",
            ".orch/tasks/2026-11/strat-001/1-task.yaml",
            ".orch/tasks/2026-11/strat-001/00001-task.yaml",
            ".orch/tasks/2026-11/strat-001/0000-task.yaml",
            ".orch/tasks/2026-11/strat-001/0001-task.yml",
            ".orch/tasks/2026-11/strat-001/0001.yaml",
            ".orch/tasks/2026-11/strat-001/x/0001-task.yaml",
            ".orch/decisions/choice.yaml",
            ".orch/decisions/2026-11-21-.yaml",
            ".orch/decisions/2026-11- 1-choice.yaml",
            ".orch/decisions/2026-11-21_choice.yaml",
            ".orch/decisions/2026-11-21-Choice.yaml",
            ".orch/decisions/2026-11-21-choice\u{200b}.yaml",
            ".orch/decisions/2026-11-2ü-choice.yaml",
        ] {
            assert!(RecordPath::parse(&RepoPath::from(path)).is_err(), "{path}");
        }
    }

    /// Attack 37: another spelling of `.orch` is still `.orch`.
    #[test]
    fn no_spelling_of_the_folder_escapes() {
        for path in [
            ".Orch/x",
            ".orch/x",
            ".orch\u{200b}/x",
            ".ORCH./x",
            ".orch\\x",
            ".orch:s/x",
            "Orch~1/x",
        ] {
            assert!(belongs_to_orch(&RepoPath::from(path)), "{path}");
        }
        for path in [".orchard/x", "orch/x", "orch~/x", "orch~x/x", "x/.orch", ".orc:h"] {
            assert!(!belongs_to_orch(&RepoPath::from(path)), "{path}");
        }
    }
}
