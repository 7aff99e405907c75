//! How an attempt ended: what Git or orch said, and whether that is the verdict owed.

use std::fmt;

use crate::support::{Said, Team};

/// The verdict that the guard owes an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// Exit code 1, or a Git command that a hook refuses, with the check or the reason named.
    Deny,
    /// Exit code 2, with what to do.
    Err,
    /// Exit code 0, with nothing against it.
    Ok,
    /// Exit code 0, with a warning that names the check.
    Warn,
}

impl Owed {
    /// Gives the word that the table has for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Owed::Deny => "refused",
            Owed::Err => "could not look",
            Owed::Ok => "passes",
            Owed::Warn => "passes with a warning",
        }
    }
}

/// One attempt, and how it ended.
pub(super) struct Seen {
    what: String,
    by_git: bool,
    code: i32,
    told: String,
}

impl Seen {
    fn new(what: String, by_git: bool, said: Said) -> Self {
        Seen { what, by_git, code: said.code, told: said.out + &said.err }
    }

    /// Tells whether it ended as owed.
    fn is(&self, owed: Owed) -> bool {
        let refused = self.told.lines().any(|line| heading(line).starts_with("error["));
        match owed {
            Owed::Deny if self.by_git => self.code != 0,
            Owed::Deny => self.code == 1,
            Owed::Err => self.code == 2 && self.told.contains("help: "),
            Owed::Ok | Owed::Warn => self.code == 0 && !refused,
        }
    }

    /// Tells whether a check is named as what refuses or warns; what is no name of a check are words
    /// to be said.
    fn names(&self, owed: Owed, name: &str) -> bool {
        if orch::checks::find(name).is_none() {
            return self.told.contains(name);
        }
        let word = if owed == Owed::Warn { "warning" } else { "error" };
        let picture = format!("{word}[{name}]");
        let line = format!("{name}: ");
        let headings = || self.told.lines().map(heading);
        headings().any(|heading| heading.starts_with(&picture) || heading.starts_with(&line))
    }

    /// Asserts that it ended as owed, and that one of these is what says so.
    pub(super) fn settle(&self, owed: Owed, says: &[&str]) {
        assert!(self.is(owed), "{owed:?} is owed: {self}");
        let named = says.is_empty() || says.iter().any(|name| self.names(owed, name));
        assert!(named, "none of {says:?} is named: {self}");
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ended with {}:\n{}", self.what, self.code, self.told)
    }
}

/// What a server says reaches the one who pushes with a word before each line.
fn heading(line: &str) -> &str {
    line.strip_prefix("remote: ").unwrap_or(line)
}

/// Asserts that each of these was what said so at least once: a row names nothing in vain.
pub(super) fn settle_names(all: &[Seen], owed: Owed, says: &[&str]) {
    for name in says {
        let named = all.iter().any(|seen| seen.names(owed, name));
        let told = || all.iter().map(Seen::to_string).collect::<String>();
        assert!(named, "{name} is never named: {}", told());
    }
}

/// Runs a Git command.
pub(super) fn git(team: &Team, arguments: &[&str]) -> Seen {
    Seen::new(format!("git {arguments:?}"), true, team.try_git(arguments))
}

/// Runs a command of orch as someone.
pub(super) fn orch(team: &Team, agent: &str, arguments: &[&str]) -> Seen {
    Seen::new(format!("orch {arguments:?}"), false, team.try_orch(agent, arguments))
}

/// Asks the guard.
pub(super) fn guard(team: &Team, flags: &[&str]) -> Seen {
    orch(team, "", &[&["guard"], flags].concat())
}

/// Asks the guard as CI does for a branch that goes to `main`.
pub(super) fn ci(team: &Team) -> Seen {
    guard(team, &["--base", "main"])
}

/// Commits everything past the hooks, and asks as CI does.
pub(super) fn smuggled(team: &Team) -> Seen {
    team.smuggle("Past the hooks");
    ci(team)
}

/// Tries to commit what is staged, through the hooks.
pub(super) fn commit(team: &Team) -> Seen {
    team.repo.tick();
    git(team, &["commit", "-m", "Through the hooks"])
}

/// Stages everything and tries to commit it; then past the hooks, for CI.
pub(super) fn both_ways(team: &Team) -> [Seen; 2] {
    team.repo.git(&["add", "--all"]);
    [commit(team), smuggled(team)]
}
