//! `orch hooks agent-event`: what a harness is told of the step that its agent is about to take.
//!
//! The event comes as JSON on standard input. Exit code 2 blocks the step, and the agent reads standard error:
//! so it is with Claude Code, Codex and Gemini CLI. What is no business of orch's passes without a word.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use super::super::Stop;
use super::super::context::{Context, staged};
use super::super::output::complain_lines;
use super::super::push::protected_tip;
use super::super::seal::worktree_changes;
use super::missing;
use super::shell::{Call, calls};
use crate::diagnostic::{Report, Severity};
use crate::guard::guard;
use crate::policy::POLICY_PATH;
use crate::render::one_line;
use crate::snapshot::{Fault, GitRepository, Proposal, Repository as _, Side};
use crate::source::RepoPath;

/// More than this is no event.
const MOST: u64 = 16 << 20;
/// An agent reads so many findings, and where to see the rest.
const TOLD: usize = 5;

/// A step that an agent is about to take.
enum Step {
    /// It runs a line in a shell, in a folder.
    Line(String),
    /// It ends its turn.
    End,
}

/// Reads an event, and blocks the step if the guard would refuse what it does.
pub(super) fn answer(context: &Context) -> Result<(), Stop> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
    let event: Option<Value> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    let Some(event) = event.filter(Value::is_object) else {
        let help =
            "a harness writes its event to standard input, as JSON: `orch hooks install --agents`";
        return Err(Stop::denied("standard input holds no event of a harness", help));
    };
    let Some(step) = step(&event) else { return Ok(()) };
    let folder = event["cwd"].as_str().map(PathBuf::from).filter(|folder| folder.is_dir());
    let folder = folder.unwrap_or_else(|| context.directory().to_owned());
    let told = match step {
        Step::Line(line) => {
            calls(&line, &folder).iter().find_map(|call| refused_call(context, call))
        }
        // What cannot be looked at must not keep an agent from ending.
        Step::End => refused_end(&context.standing_in(&folder)).unwrap_or_default(),
    };
    match told {
        None => Ok(()),
        Some(why) => {
            complain_lines(why);
            Err(Stop::Blocked)
        }
    }
}

/// Gives the step that an event announces, if it is one to judge.
fn step(event: &Value) -> Option<Step> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match event["hook_event_name"].as_str()? {
        "PreToolUse" | "BeforeTool" => {
            let shell = ["Bash", "run_shell_command"].contains(&event["tool_name"].as_str()?);
            text(&event["tool_input"]["command"]).filter(|_| shell).map(Step::Line)
        }
        // Told once, it may end: whoever asks again and again keeps an agent for ever.
        "Stop" | "AfterAgent" => (event["stop_hook_active"] != true).then_some(Step::End),
        _ => None,
    }
}

/// Tells why a commit, push or merge must not be, if so.
fn refused_call(context: &Context, call: &Call) -> Option<String> {
    let here = context.standing_in(&call.folder);
    let repository = here.repository().ok().filter(is_ours)?;
    if call.word == "config" {
        // Where the hooks are not in place, this may be what puts them there.
        let why = "orch: this `git config` goes past the hooks, and CI would refuse what they do.\nLeave \
                   `core.hooksPath` as it is; where the hooks should be moved, a person does it.";
        return missing(&repository).is_empty().then(|| why.to_owned());
    }
    if call.skips_hooks {
        return Some(format!(
            "orch: this `git {}` goes past the hooks, and CI would refuse what they do.\nType it without \
             `--no-verify` or another `core.hooksPath`; if it is refused, do what the `help:` line says.",
            call.word
        ));
    }
    let current = || repository.current_branch().ok().flatten();
    let elsewhere = call.branch.is_some() && call.branch != current();
    let judged = match call.word.as_str() {
        _ if !call.is_plain || elsewhere => return unjudged(&repository, call),
        "commit" => staged(&repository).map(Some),
        "push" => to_be_pushed(&repository),
        _ => return None,
    };
    let report = judged.and_then(|proposal| {
        proposal.map(|proposal| guard(&repository, &proposal, here.at(), true)).transpose()
    });
    match report {
        Ok(report) => report.filter(Report::refused).map(|report| told(&call.word, &report)),
        Err(fault) => Some(format!("orch: {}\nhelp: {}", one_line(&fault.message), fault.help)),
    }
}

/// What can't be judged before it is done is judged by Git's own hooks, if they are there.
fn unjudged(repository: &GitRepository, call: &Call) -> Option<String> {
    if missing(repository).is_empty() {
        return None;
    }
    Some(format!(
        "orch: Git's hooks are not in place, so nobody would judge this `git {}`.\nType `orch hooks install`, \
         then do it again.",
        call.word
    ))
}

/// Gives what a push of the current branch would bring beyond the protected branches, as far as known here.
fn to_be_pushed(repository: &GitRepository) -> Result<Option<Proposal>, Fault> {
    let Some(base) = protected_tip(repository, None)? else { return Ok(None) };
    let branch = repository.current_branch()?;
    repository.range(&base.to_string(), "HEAD", branch).map(Some)
}

/// Tells what an agent that ends leaves undone, if it does: what is staged and refused, or was never committed.
fn refused_end(context: &Context) -> Result<Option<String>, Fault> {
    let repository = context.repository()?;
    if !is_ours(&repository) {
        return Ok(None);
    }
    let proposal = staged(&repository)?;
    if !proposal.changes.is_empty() {
        let report = guard(&repository, &proposal, context.at(), true)?;
        if report.refused() {
            return Ok(Some(told("commit", &report)));
        }
    }
    let staged = proposal.changes.into_iter().map(|change| change.path);
    let records = |path: &RepoPath| path.is_below(".orch");
    if let Some(path) = staged.into_iter().find(records) {
        return Ok(Some(format!(
            "orch: {} is staged, and nobody sees it before it is committed.\nType `git commit -m '…'`.",
            one_line(&path.to_string())
        )));
    }
    Ok(worktree_changes(&repository)?.into_iter().find(records).map(|path| {
        format!(
            "orch: {} is not staged, and nobody sees it before it is committed.\nType `git add .orch`, then `git commit \
             -m '…'`; or `git restore` it, or remove it, if nobody should.",
            one_line(&path.to_string())
        )
    }))
}

fn is_ours(repository: &GitRepository) -> bool {
    let policy = repository.node(Side::Index, &RepoPath::from(POLICY_PATH));
    // Where nobody can look, nothing passes.
    !matches!(policy, Ok(None))
}

/// Tells what is refused and what to type, in few words.
fn told(word: &str, report: &Report) -> String {
    let errors = || report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mut text = format!("orch would refuse this `git {word}`:\n");
    for finding in errors().take(TOLD) {
        let line = report.position(&finding.place).map(|at| format!(":{}", at.line));
        text.push_str(&format!(
            "{}: {}{}: {}\nhelp: {}\n",
            finding.check,
            one_line(&finding.place.path.to_string()),
            line.unwrap_or_default(),
            one_line(&finding.message),
            one_line(&finding.help)
        ));
    }
    match errors().count().saturating_sub(TOLD) {
        0 => {}
        more => text.push_str(&format!("and {more} more: `orch guard` shows all\n")),
    }
    text
}
