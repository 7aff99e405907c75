//! What is long is read page by page on a terminal, with the program that Git would take for that.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use clap::ArgMatches;

use super::context::variable;
use super::output::offer;

/// The commands that tell people something long.
const PAGED: [&str; 12] = [
    "status",
    "log",
    "report",
    "explain",
    "metrics",
    "plan",
    "task list",
    "task show",
    "handoff show",
    "audit show",
    "incident show",
    "procedure show",
];

/// What waits to be read; none while all goes to standard output as it comes.
static HELD: Mutex<Option<String>> = Mutex::new(None);

/// Holds back what is told from now on, if people read it, on a terminal, and it may be long: never what a
/// program is meant to read, and never what goes on for ever.
pub(super) fn begin(command: &str, matches: &ArgMatches) {
    let wanted = PAGED.contains(&command) && is_for_people(matches);
    let dumb = variable("TERM").is_none_or(|terminal| terminal == "dumb");
    if wanted && !dumb && std::io::stdout().is_terminal() {
        *held() = Some(String::new());
    }
}

fn is_for_people(matches: &ArgMatches) -> bool {
    let mut inner = matches;
    while let Some((_, below)) = inner.subcommand() {
        inner = below;
    }
    let raw = |id| inner.try_get_raw(id).ok().flatten().and_then(|mut values| values.next());
    let set = |id| inner.try_get_one::<bool>(id).is_ok_and(|set| set == Some(&true));
    !set("no_pager") && !set("follow") && raw("format").is_none_or(|format| format == "human")
}

/// Takes a text to wait for the end of the command; false if nothing is held back.
pub(super) fn takes(text: &str) -> bool {
    let mut held = held();
    let Some(held) = held.as_mut() else { return false };
    held.push_str(text);
    if !text.is_empty() && !text.ends_with('\n') {
        held.push('\n');
    }
    true
}

/// Shows what was held back. A pager that can't be started, or ends badly, loses nothing: then it goes to
/// standard output after all.
pub(super) fn end() {
    let Some(text) = held().take().filter(|text| !text.is_empty()) else { return };
    let shown = program().is_some_and(|program| is_shown(&program, &text));
    if !shown {
        let _nobody_listens = offer(text);
    }
}

fn held() -> std::sync::MutexGuard<'static, Option<String>> {
    HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Gives what pages: `ORCH_PAGER`, or what Git would take; none if that is nobody.
fn program() -> Option<String> {
    let named = std::env::var("ORCH_PAGER").ok().or_else(|| {
        let output = Command::new("git").args(["var", "GIT_PAGER"]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    let named = named?.trim().to_owned();
    Some(named).filter(|named| !named.is_empty() && named != "cat")
}

/// Lets a program show a text, as Git would start it; tells whether it did.
fn is_shown(program: &str, text: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", program]).stdin(Stdio::piped());
    for (name, default) in [("LESS", "FRX"), ("LV", "-c")] {
        if std::env::var_os(name).is_none() {
            command.env(name, default);
        }
    }
    let _caught = caught();
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // Whoever has read enough closes it.
        let _read_enough = input.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Lets Ctrl-C be the pager's business, and not this process's end.
#[cfg(unix)]
fn caught() -> std::io::Result<signal_hook::SigId> {
    signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default())
}

#[cfg(not(unix))]
fn caught() {}
