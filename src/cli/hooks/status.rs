//! `orch hooks status`: what stands around the guard here, part by part, and what to type where it does not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::super::Stop;
use super::super::context::{Context, variable};
use super::super::output::{complain, say};
use super::agents::{self, Asking};
use super::calling::{Calling, calling, may_run, named_in};
use super::{Manager, hooks_of};
use crate::policy::{POLICY_PATH, Policy, Version};
use crate::snapshot::{GitRepository, Repository as _, Side};
use crate::source::{AgentName, RepoPath};

/// Tells each part's state; exit code 1 if commits are not guarded, or what was installed does not work, so that
/// scripts can ask. What a repository may do without, and who acts, is only told.
pub(super) fn tell(context: &Context, repository: &GitRepository) -> Result<(), Stop> {
    let (hooks, program) = (hooks(repository), program(repository));
    if let Some(folder) = repository.config_value("core.hooksPath") {
        say(format!("hooks folder: {folder} (core.hooksPath)"));
    }
    let policy = policy(repository)?;
    let (mut begun, mut asked) = (true, true);
    if !repository.is_bare() {
        begun = policy.is_some();
        say(format!("CI: {}", ci(repository)));
        asked = harness(repository);
        who(context, repository, policy.as_ref());
    }
    let parts =
        [(hooks, "hooks"), (program, "program"), (begun, "policy"), (asked, "agents' harness")];
    let missing: Vec<&str> =
        parts.iter().filter(|(works, _)| !works).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    complain(format!("not in place: {}", missing.join(", ")));
    if !(hooks && program) {
        let written = Manager::of(repository);
        let written = written.filter(|manager| manager.calls_orch(repository, "pre-commit"));
        let next = written.map_or("orch hooks install", |manager| manager.install);
        complain(format!("next: {next}"));
    }
    Err(Stop::Refused)
}

/// Tells of every hook whether it calls orch.
fn hooks(repository: &GitRepository) -> bool {
    let folder = repository.hooks_dir();
    let mut all = true;
    for (name, _) in hooks_of(repository) {
        let file = folder.join(name);
        let (calls, state) = match calling(repository, name) {
            Calling::Calls(how) => (true, how),
            Calling::Not(why) => (false, why.to_owned()),
        };
        all &= calls;
        say(format!("{name}: {state} ({})", file.display()));
    }
    all
}

/// Tells which program the hooks call, and of which version it is; false if they would find none.
fn program(repository: &GitRepository) -> bool {
    let hooks = hooks_of(repository).iter().map(|(name, _)| repository.hooks_dir().join(name));
    let named = hooks.filter_map(|file| named_in(&fs::read_to_string(file).ok()?)).next();
    let gone = named.as_ref().is_some_and(|program| !may_run(program));
    let in_path = named.is_none() || gone;
    let program = if in_path { PathBuf::from("orch") } else { named.clone().unwrap_or_default() };
    let place = match (&named, in_path) {
        (Some(named), true) => format!("the `orch` in your path, as {} is gone", named.display()),
        (None, true) => "the `orch` in your path".into(),
        _ => program.display().to_string(),
    };
    let own = env!("CARGO_PKG_VERSION");
    let said = Command::new(&program).arg("--version").output().ok();
    let said = said.filter(|output| output.status.success());
    let version = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match version.as_deref().and_then(|version| version.strip_prefix("orch ")) {
        Some(version) if version == own => say(format!("program: {place}, version {version}")),
        Some(version) => say(format!(
            "program: {place}, version {version}, and this is {own}; type: orch hooks install"
        )),
        None if named.is_some() => {
            say(format!(
                "program: the hooks call {place}, which is no orch; type: orch hooks install"
            ));
            return false;
        }
        None => {
            say("program: no `orch` in your path; type: cargo install --path PATH-OF-ORCH");
            return false;
        }
    }
    true
}

/// Tells whether a policy is in place, and gives it if it can be used.
fn policy(repository: &GitRepository) -> Result<Option<Policy>, Stop> {
    let committed = match repository.head_commit()? {
        Some(head) => repository.node(Side::Commit(head), &RepoPath::from(POLICY_PATH))?.is_some(),
        None => false,
    };
    let side = match repository.is_bare() {
        false => Side::Index,
        true => repository.head_commit()?.map_or(Side::Nothing, Side::Commit),
    };
    let node = repository.node(side, &RepoPath::from(POLICY_PATH))?;
    let bytes = node.map(|node| repository.read(node.oid)).transpose()?.unwrap_or_default();
    let policy = Policy::parse(&bytes, &crate::checks::names()).ok();
    if let Some(asked) = Version::newer_asked_for(policy.as_ref(), &bytes) {
        say(format!("policy: {POLICY_PATH} asks for orch {asked}, and this is {}", Version::own()));
        return Ok(None);
    }
    let state = match (&policy, node.is_some(), committed) {
        (Some(_), _, true) => POLICY_PATH.to_owned(),
        (Some(_), ..) => format!("{POLICY_PATH} is staged; type: git commit"),
        (None, true, _) => format!("{POLICY_PATH} can't be used; type: orch guard"),
        (None, false, _) if repository.is_bare() => "none yet; a push may bring the first".into(),
        (None, false, _) => "none; type: orch init --template team --hooks".into(),
    };
    say(format!("policy: {state}"));
    Ok(policy)
}

/// Where CI services look for what to do.
const WORKFLOWS: &str = ".github/workflows";

/// Gives which files let CI run the guard, as far as they say so.
fn ci(repository: &GitRepository) -> String {
    let top = repository.work_dir().unwrap_or(repository.git_dir());
    let workflows = fs::read_dir(top.join(WORKFLOWS)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = workflows.map(|entry| entry.path()).collect();
    files.push(top.join(".gitlab-ci.yml"));
    files.sort();
    let runs = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
        lines.any(|line| ["orch guard", "transition-guard"].iter().any(|word| line.contains(word)))
    };
    let found =
        files.iter().filter(|file| runs(file)).filter_map(|file| file.strip_prefix(top).ok());
    let found: Vec<String> = found.map(|file| file.display().to_string()).collect();
    match found.is_empty() {
        true => {
            "no file of this repository runs the guard; type: orch init --ci github (or gitlab)"
                .into()
        }
        false => found.join(", "),
    }
}

/// Tells whether an agents' harness asks orch; false if it was told to and does not.
fn harness(repository: &GitRepository) -> bool {
    let (state, works) = match agents::asked(repository) {
        Asking::Asks => (format!("{} asks orch", agents::SETTINGS), true),
        Asking::Not => ("not told; type: orch hooks install --agents".into(), true),
        Asking::Broken(why) => (why, false),
    };
    say(format!("agents' harness: {state}"));
    works
}

/// Tells who would act, from which context, and under which name commits are made.
fn who(context: &Context, repository: &GitRepository, policy: Option<&Policy>) {
    let known = |name: &str| {
        let name: Option<AgentName> = name.parse().ok();
        policy.is_none_or(|policy| name.is_some_and(|name| policy.agents.contains_key(&name)))
    };
    say(match context.agent_word() {
        Some(name) if known(name) => format!("agent: {name}"),
        Some(name) => format!("agent: {name}, whom the policy does not know; type: orch status"),
        None => "agent: nobody; type: export ORCH_AGENT=NAME".into(),
    });
    say(match context.session() {
        Some(session) => format!("session: {session}"),
        None => "session: none; type: export ORCH_SESSION=ID".into(),
    });
    let of_git = |key, name| variable(name).or_else(|| repository.config_value(key));
    let name = of_git("user.name", "GIT_AUTHOR_NAME");
    let address = of_git("user.email", "GIT_AUTHOR_EMAIL");
    say(match (name, address) {
        (Some(name), Some(address)) => format!("commits: {name} <{address}>"),
        _ => "commits: Git does not know who you are; type: git config user.email ADDRESS".into(),
    });
}
