//! An overview as Markdown: short, for the summary of a CI job or a comment on a pull request.

use super::board::{duration, more_done};
use super::markdown::{code, plain};
use super::numbers::numbers;
use crate::report::overview::Overview;
use crate::report::{Row, spelled};
use crate::source::many;

/// How many rows a table has at most: services refuse what is too long, and show nothing at all.
const ROWS: usize = 20;

/// Gives an overview as Markdown that ends with a newline: where tasks stand, what waits for whom, what
/// is owed, what is frozen, the metrics, and what the checks say.
pub fn overview(overview: &Overview) -> String {
    let mut text = heading(overview);
    if overview.unreadable > 0 {
        text += &format!(
            "**{} can't be read**: `orch verify`\n\n",
            many(overview.unreadable, "record")
        );
    }
    for halt in &overview.halts {
        let (scope, reason) = (plain(&halt.scope), cut(&halt.reason));
        let lift = code(&halt.command);
        text += &format!("**Halt** {} ({scope}): {reason}. A person lifts it: {lift}\n\n", halt.id);
    }
    for incident in &overview.incidents {
        let (severity, trigger) = (plain(&incident.severity), cut(&incident.trigger));
        let due = incident.due_at.map(|due| format!("; owes a report by {due}"));
        let due = due.unwrap_or_default();
        text += &format!("**Incident** {} ({severity}): {trigger}{due}\n\n", incident.id);
    }
    text += &debts(overview);
    text += &rows("Active", &["agent", "since", "then"], &overview.board.active, |row| {
        vec![name(row.agent.as_ref()), row.since.to_string(), name(row.next.as_ref())]
    });
    text += &rows("Ready", &["agent", "since"], &overview.board.ready, |row| {
        vec![name(row.agent.as_ref()), row.since.to_string()]
    });
    for (heading, all) in
        [("Waiting", &overview.board.waiting), ("Blocked", &overview.board.blocked)]
    {
        text += &rows(heading, &["for", "since", "next"], all, |row| {
            let why = row.waits_for.as_deref().map(cut).unwrap_or_default();
            vec![why, row.since.to_string(), name(row.next.as_ref())]
        });
    }
    text += &rows("Done", &["outcome", "took"], &overview.board.done, |row| {
        let outcome = row.outcome.map(|outcome| plain(&spelled(&outcome))).unwrap_or_default();
        vec![outcome, row.duration_seconds.map(duration).unwrap_or_default()]
    });
    if overview.board.done_not_shown > 0 {
        text += &format!("{}\n\n", more_done(overview.board.done_not_shown));
    }
    let metrics = numbers(&overview.measures.metrics)
        .map(|[name, value, from]| vec![code(&name), value, plain(&from)]);
    text += &table("In numbers", &["metric", "value", "from"], metrics.to_vec());
    text += &findings(overview);
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn heading(overview: &Overview) -> String {
    let counts = overview.board.counts;
    let overdue = overview.debts.iter().filter(|debt| debt.overdue).count();
    let of = match &overview.commit {
        Some(commit) => format!("commit {}", code(&commit[..commit.len().min(12)])),
        None => "before the first commit".to_owned(),
    };
    let staged = if overview.staged { " and what is staged" } else { "" };
    format!(
        "## {}: how the work stands\n\nAs of {}, {of}{staged}: {} active, {} ready, {} waiting, {} \
         blocked, {} done; {overdue} overdue.\n\n",
        plain(&overview.project),
        overview.at,
        counts.active,
        counts.ready,
        counts.waiting,
        counts.blocked,
        counts.done
    )
}

fn debts(overview: &Overview) -> String {
    let rows = overview.debts.iter().map(|debt| {
        let due = debt.due_at.map(|due| due.to_string()).unwrap_or_default();
        let due = if debt.overdue { format!("**overdue** {due}") } else { due };
        let who: Vec<&str> = debt.who.iter().map(|name| name.as_str()).collect();
        vec![plain(debt.about.as_str()), cut(&debt.what), due, plain(&who.join(", "))]
    });
    table("Open debts", &["about", "what", "due", "who"], rows.collect())
}

fn findings(overview: &Overview) -> String {
    let rows = overview.findings.iter().map(|found| {
        vec![code(found.check), spelled(&found.severity), cut(&found.message), cut(&found.help)]
    });
    table("Findings", &["check", "weight", "what is wrong", "what to do"], rows.collect())
}

fn rows(
    heading: &str,
    columns: &[&str],
    rows: &[Row],
    cells: impl Fn(&Row) -> Vec<String>,
) -> String {
    let lines = rows.iter().map(|row| {
        let stage = row.stage.as_ref().map(|stage| plain(stage.as_str())).unwrap_or_default();
        [vec![plain(row.task_id.as_str()), cut(&row.title), stage], cells(row)].concat()
    });
    table(heading, &[&["task", "what", "stage"], columns].concat(), lines.collect())
}

/// Gives a table with its heading, and how many rows there was no room for; nothing if it has none.
fn table(heading: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let more = rows.len().saturating_sub(ROWS);
    let lines = rows.into_iter().take(ROWS).map(|cells| format!("| {} |\n", cells.join(" | ")));
    let lines: String = lines.collect();
    let rule = "---|".repeat(columns.len());
    let more = if more > 0 { format!("\nand {more} more\n") } else { String::new() };
    format!("### {heading}\n\n| {} |\n|{rule}\n{lines}{more}\n", columns.join(" | "))
}

/// Gives the beginning of a sentence as the inside of a cell.
fn cut(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => plain(&format!("{}…", &text[..at])),
        None => plain(text),
    }
}

fn name(agent: Option<&crate::source::AgentName>) -> String {
    agent.map(|name| plain(name.as_str())).unwrap_or_default()
}
