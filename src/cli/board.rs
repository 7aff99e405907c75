//! The board: where every task stands, on a terminal, as JSON, or in a file that others read.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::Stop;
use super::context::{Context, View};
use super::elsewhere::ahead;
use super::files::write_whole;
use super::ledger::Writing;
use super::output::{json as print_json, say, say_lines, table};
use super::status::{as_json, tell_rests};
use super::suggest::{freezes, stalled};
use crate::render::{self, Format, Marks, duration, with_block};
use crate::report::{Board, Counts, Elsewhere, Row, spelled};
use crate::source::{AgentName, Moment};
use crate::world::Focus;

/// How many of the closed tasks are looked at for those that ended last.
const LOOKED_AT: usize = 50;

/// Between these lines a file holds the board.
const MARKS: Marks =
    Marks { begin: "<!-- orch status: begin -->", end: "<!-- orch status: end -->" };

/// Prints the board, with tasks as they stand wherever they are furthest.
pub(super) fn show(context: &Context, format: Format) -> Result<(), Stop> {
    let view = View::focused(context, Focus::Recent(LOOKED_AT))?;
    let further = ahead(context, &view, None)?.into_iter();
    let further: BTreeMap<_, _> = further
        .map(|(id, ahead)| (id, Elsewhere { place: ahead.place, state: ahead.state }))
        .collect();
    let board = Board::of(&view.world, &further);
    match format {
        Format::Json => print_json(&whole_as_json(&view, &board, context.at())),
        Format::Human => tell(&view, &board, context.at()),
    }
    Ok(())
}

/// Writes the board between its lines in a file, as of the last entry: the same ledgers give the same
/// bytes, on every machine and at any time.
pub(super) fn write(context: &Context, file: &Path, writing: Writing) -> Result<(), Stop> {
    let place = place_of(context, file, "a board")?;
    let before = match std::fs::read_to_string(&place) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            let message = format!("{} can't be read: {error}", file.display());
            return Err(Stop::fault(message, "name a file of UTF-8 text"));
        }
    };
    let mut view = View::focused(context, Focus::Recent(LOOKED_AT))?;
    refuse_sealed(&view, file, &place)?;
    let states = view.world.ledgers.values().filter_map(|ledger| ledger.state());
    let halts = view.world.survey.halts.iter().filter_map(|halt| halt.since);
    if let Some(last) = states.map(|state| state.last_at).chain(halts).max() {
        view.world.at = last;
    }
    let text = render::board(&Board::of(&view.world, &BTreeMap::new()));
    let after = with_block(&before, MARKS, &text)
        .map_err(|fault| Stop::denied(format!("{}: {fault}", file.display()), fault.help))?;
    if after == before {
        say(format!("{} shows the board as it is", file.display()));
        return Ok(());
    }
    if writing.dry_run {
        say_lines(format!("would write {}\n{text}", file.display()));
        return Ok(());
    }
    write_whole(&place, &after)?;
    say_lines(format!("wrote {}\nnext: git add {}", file.display(), file.display()));
    Ok(())
}

/// Gives the file that is written: what a link leads to, which stays a link. Refuses what is the tool's or
/// Git's own, and a link that leads out of the repository.
pub(super) fn place_of(context: &Context, file: &Path, what: &str) -> Result<PathBuf, Stop> {
    let help = "name a file beside your own, such as docs/board.md";
    let refused = |why: &str| Stop::denied(format!("{} {why}", file.display()), help);
    let own = |path: &Path| path.iter().any(|part| part == ".orch" || part == ".git");
    if own(file) {
        return Err(refused(&format!("is no place for {what}")));
    }
    let place = context.directory().join(file);
    let real = place.canonicalize();
    if real.is_err() && place.is_symlink() {
        return Err(refused("is a link that leads nowhere"));
    }
    let parent = || Some(place.parent()?.canonicalize().ok()?.join(place.file_name()?));
    let real = real.ok().or_else(parent).unwrap_or_else(|| place.clone());
    let top = context.repository()?.work_dir().and_then(|top| top.canonicalize().ok());
    let Some(top) = top else { return Ok(real) };
    let up = file.components().any(|part| part == Component::ParentDir);
    match real.strip_prefix(&top) {
        Ok(inner) if own(inner) => Err(refused(&format!("leads to what is no place for {what}"))),
        Err(_) if !up && place.starts_with(&top) => Err(refused("leads out of the repository")),
        _ => Ok(real),
    }
}

/// Refuses a file that a handoff has sealed and that others rely on.
pub(super) fn refuse_sealed(view: &View, file: &Path, place: &Path) -> Result<(), Stop> {
    let top = view.repository.work_dir().and_then(|top| top.canonicalize().ok());
    let Some(inner) = top.as_ref().and_then(|top| place.strip_prefix(top).ok()) else {
        return Ok(());
    };
    let inner = inner.to_string_lossy();
    let states = view.world.ledgers.values().filter_map(|ledger| ledger.state());
    for state in states {
        let mut sealed = state.live_deliveries().flat_map(|delivery| &delivery.artifacts);
        if sealed.any(|artifact| artifact.path.to_string() == inner) {
            let id = &state.task.task_id;
            let message = format!("{} is sealed by a handoff of `{id}`", file.display());
            return Err(Stop::denied(message, "name another file, such as docs/board.md"));
        }
    }
    Ok(())
}

/// Gives the open tasks, the halts that stand, the open incidents, and the board, as one object.
fn whole_as_json(view: &View, board: &Board, at: Moment) -> serde_json::Value {
    let policy = view.policy();
    let ledgers = view.world.ledgers.values();
    let open = ledgers.filter_map(|ledger| Some((ledger, ledger.state()?)));
    let open = open.filter(|(_, state)| state.closed.is_none());
    let tasks: Vec<_> = open
        .map(|(ledger, state)| {
            let mut task = as_json(&view.world, state, at);
            task["stalled"] = json!(stalled(&policy, ledger, at));
            task["frozen"] = json!(freezes(&view.world, &policy, state));
            task
        })
        .collect();
    let (halts, incidents) = super::freezes::as_json(view, at);
    json!({ "tasks": tasks, "halts": halts, "incidents": incidents, "board": board })
}

fn tell(view: &View, board: &Board, at: Moment) {
    super::freezes::freezes(view, at);
    let Counts { active, ready, waiting, blocked, done } = board.counts;
    if active + ready + waiting + blocked == 0 {
        say("no open tasks; open one: orch task open ID --workflow NAME --title TEXT");
    }
    say(format!(
        "{active} active, {ready} ready, {waiting} waiting, {blocked} blocked, {done} done"
    ));
    section("ACTIVE", &["STAGE", "AGENT", "SINCE", "THEN", "WHERE"], &board.active, |row| {
        let place = row.place.clone().unwrap_or_else(|| "-".into());
        vec![stage(row), name(&row.agent), since(row, at), name(&row.next), place]
    });
    section("READY", &["STAGE", "AGENT", "SINCE"], &board.ready, |row| {
        let place = row.place.as_ref().map(|place| format!("  on {place}")).unwrap_or_default();
        vec![stage(row), name(&row.agent), since(row, at) + &place]
    });
    for (heading, rows) in [("WAITING", &board.waiting), ("BLOCKED", &board.blocked)] {
        section(heading, &["STAGE", "NEXT", "SINCE", "FOR"], rows, |row| {
            let why = row.waits_for.clone().unwrap_or_default();
            vec![stage(row), name(&row.next), since(row, at), why]
        });
    }
    section("DONE", &["OUTCOME", "TOOK", "SINCE"], &board.done, |row| {
        let outcome = row.outcome.map(|outcome| spelled(&outcome)).unwrap_or_default();
        let took = row.duration_seconds.map(duration).unwrap_or_default();
        vec![outcome, took, since(row, at)]
    });
    if board.done_not_shown > 0 {
        say(render::more_done(board.done_not_shown));
    }
    tell_rests(view, at);
}

/// Prints one section, a line a task; nothing if it has none.
fn section(heading: &str, columns: &[&str], rows: &[Row], cells: impl Fn(&Row) -> Vec<String>) {
    if rows.is_empty() {
        return;
    }
    let heading = std::iter::once(heading).chain(columns.iter().copied());
    let mut lines = vec![heading.map(str::to_owned).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| [vec![row.task_id.to_string()], cells(row)].concat()));
    say_lines("\n");
    table(&lines);
}

fn stage(row: &Row) -> String {
    row.stage.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn name(agent: &Option<AgentName>) -> String {
    agent.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn since(row: &Row, at: Moment) -> String {
    let age = at.since(row.since).num_seconds().max(0);
    format!("{} ({})", row.since, duration(age))
}
