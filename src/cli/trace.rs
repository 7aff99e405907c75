//! orch's own log: what it did, a line of JSON each, in files of a day (R003-30 to R003-32).
//!
//! A command that acts writes to `.git/orch/logs`; one that only reads, and the guard, write nothing and
//! open no file unless `LOG_LEVEL` or `LOG_DIR` is set. Nothing is logged that stands in an address, and
//! no text of a record but names.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer as _, Registry};

use super::context::{Context, variable};
use super::output::complain;
use crate::diagnostic::{Report, Severity};
use crate::render::one_line;
use crate::snapshot::GitRepository;

/// How the files are named, before the day and behind it.
const PREFIX: &str = "orch.log";
const SUFFIX: &str = "jsonl";
/// How many days' files are kept, today's among them.
const KEPT: u16 = 7;

/// The last words of commands that only read, or judge.
const READING: [&str; 17] = [
    "guard", "verify", "explain", "next", "plan", "status", "metrics", "list", "show", "deps",
    "graph", "log", "schema", "claims", "demo", "export", "due",
];

/// Begins to log, if this command or the environment asks for it.
pub(super) fn begin(context: &Context, command: &str) {
    let (level, strange) = match variable("LOG_LEVEL") {
        Some(word) => match word.to_lowercase().parse::<LevelFilter>() {
            Ok(level) => (Some(level), false),
            Err(_) if word.eq_ignore_ascii_case("warning") => (Some(LevelFilter::WARN), false),
            Err(_) => (None, true),
        },
        None => (None, false),
    };
    if strange {
        complain("LOG_LEVEL is no level: write off, error, warn, info, debug or trace");
    }
    let leaf = command.rsplit(' ').next().unwrap_or_default();
    let asked = level.is_some() || variable("LOG_DIR").is_some();
    let quiet = !asked && READING.contains(&leaf);
    if quiet || level == Some(LevelFilter::OFF) {
        return;
    }
    let own = || filter_fn(|event| event.target().starts_with(env!("CARGO_PKG_NAME")));
    let file = open(context).map(|file| {
        let lines = Lines { fixed: fixed(context, command) };
        let lines = layer().event_format(lines).with_writer(std::sync::Mutex::new(file));
        lines.with_filter(level.unwrap_or(LevelFilter::INFO).and(own()))
    });
    let console = level.map(|level| {
        let words = Words { fixed: fixed(context, command) };
        layer().event_format(words).with_writer(std::io::stderr).with_filter(level.and(own()))
    });
    let subscriber = Registry::default().with(file).with(console);
    let _one_command_a_process = tracing::subscriber::set_global_default(subscriber);
    tracing::info!("begun");
}

/// Notes how the command ended.
pub(super) fn end(context: &Context, code: u8) {
    let took = u64::try_from(context.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(exit_code = code, duration_ms = took, "ended");
}

/// Notes by which checks something was refused, and how often.
pub(super) fn refused(report: &Report) {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mut checks: Vec<&str> = errors.map(|finding| finding.check).collect();
    let count = checks.len();
    checks.dedup();
    tracing::warn!(checks = checks.join(","), count, "refused");
}

/// Gives where the files lie.
pub(super) fn folder(repository: &GitRepository) -> PathBuf {
    let named = variable("LOG_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| repository.common_dir().join("orch/logs"))
}

/// Gives the files in a folder, each with its day.
pub(super) fn days(folder: &Path) -> Vec<(String, PathBuf)> {
    dated(folder, &format!("{PREFIX}."))
}

/// Gives the files that are named for a day, with what stands before it.
pub(super) fn dated(folder: &Path, prefix: &str) -> Vec<(String, PathBuf)> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let dated = listed.filter_map(|entry| {
        let name = entry.file_name();
        let day = name.to_str()?.strip_prefix(prefix)?.strip_suffix(SUFFIX)?.strip_suffix('.')?;
        chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        Some((day.to_owned(), entry.path()))
    });
    dated.collect()
}

/// Opens today's file; that it can't be is told, and keeps nobody from working.
fn open(context: &Context) -> Option<RollingFileAppender> {
    let folder = match variable("LOG_DIR") {
        Some(named) => context.directory().join(named),
        None => context.repository().ok()?.common_dir().join("orch/logs"),
    };
    // It would tell on standard error what it misses.
    let _told_below = std::fs::create_dir_all(&folder);
    prune(context, &folder);
    let rolling = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix(SUFFIX)
        .build(&folder);
    if rolling.is_err() {
        complain(format!("no log is written: {} can't be", folder.display()));
    }
    rolling.ok()
}

/// Removes the files of days that are kept no longer, by the days in their names.
fn prune(context: &Context, folder: &Path) {
    let kept = match variable("LOG_RETENTION_DAYS").map(|text| text.parse::<u16>()) {
        None => KEPT,
        Some(Ok(days)) if days > 0 => days,
        Some(_) => {
            complain(format!("LOG_RETENTION_DAYS is no number of days: {KEPT} are kept"));
            KEPT
        }
    };
    let last = context.at().plus(-TimeDelta::days(i64::from(kept))).day();
    for (_, path) in days(folder).into_iter().filter(|(day, _)| *day <= last) {
        let _another_did_it = std::fs::remove_file(path);
    }
}

/// What stands on every line.
fn fixed(context: &Context, command: &str) -> Map<String, Value> {
    let fixed = json!({
        "run_id": one_line(&context.run_word()),
        "environment": one_line(&context.surroundings()),
        "command": command,
        "agent": context.agent_word().map(one_line),
        "session": context.session().map(one_line),
    });
    fixed.as_object().cloned().unwrap_or_default()
}

/// The fields of one event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, text: &str) {
        self.0.insert(field.name().into(), one_line(text).into());
    }

    fn record_u64(&mut self, field: &Field, number: u64) {
        self.0.insert(field.name().into(), number.into());
    }

    fn record_i64(&mut self, field: &Field, number: i64) {
        self.0.insert(field.name().into(), number.into());
    }

    fn record_bool(&mut self, field: &Field, word: bool) {
        self.0.insert(field.name().into(), word.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), one_line(&format!("{value:?}")).into());
    }
}

fn fields(event: &Event<'_>) -> Map<String, Value> {
    let mut fields = Fields::default();
    event.record(&mut fields);
    fields.0
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// One JSON object a line, all fields at its top.
struct Lines {
    fixed: Map<String, Value>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static>
    FormatEvent<S, N> for Lines
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        line.insert("timestamp".into(), now().into());
        line.insert("level".into(), event.metadata().level().as_str().to_lowercase().into());
        line.extend(self.fixed.clone());
        line.extend(fields(event));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The same for people, in a line of words.
struct Words {
    fixed: Map<String, Value>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static>
    FormatEvent<S, N> for Words
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = fields(event);
        let message = fields.remove("message").unwrap_or_default();
        let message = message.as_str().unwrap_or_default();
        write!(writer, "{} {:5} orch {message}", now(), event.metadata().level())?;
        let of_all =
            ["run_id", "environment"].iter().filter_map(|name| self.fixed.get_key_value(*name));
        for (name, value) in fields.iter().chain(of_all) {
            write!(writer, " {name}={value}")?;
        }
        writeln!(writer)
    }
}
