//! `orch init`: a policy that passes, a word to agents, and the hooks.

use super::Stop;
use super::context::{Context, staged};
use super::hooks;
use super::journal::Journal;
use super::ledger::{refuse, write_whole};
use super::lock::Lock;
use super::output::say;
use super::templates::{AGENTS, AGENTS_BEGIN, AGENTS_END, TEMPLATES};
use crate::guard::guard;
use crate::policy::POLICY_PATH;
use crate::record::did_you_mean;
use crate::snapshot::GitRepository;
use crate::source::RepoPath;

/// Start here: write a policy, and the hooks that enforce it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes .orch/policy.yaml, a part of AGENTS.md and a line of .gitignore, \
                        and stages them.\nExample: orch init --template strategy --hooks")]
pub(super) struct Init {
    /// team, strategy, torghut or trader
    #[arg(long, default_value = "team", value_name = "NAME")]
    template: String,
    /// Install the Git hooks too
    #[arg(long)]
    hooks: bool,
    /// Replace a policy that is there
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let text = template(&self.template)?;
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let Some(top) = repository.work_dir() else {
            let help = "work in a clone of it; on the server, use a hook";
            return Err(Stop::fault("a bare repository has no files to write", help));
        };
        let policy = top.join(POLICY_PATH);
        if policy.exists() && !self.force {
            let help = "change it on a branch `orch/…`, or replace it with `orch init --force`";
            return Err(Stop::fault(format!("{POLICY_PATH} is there already"), help));
        }
        let before = |name| std::fs::read_to_string(top.join(name)).unwrap_or_default();
        let texts = [
            for_branch(text, &repository)?,
            with_section(&before("AGENTS.md")),
            with_line(&before(".gitignore"), "/logs/agent_activity.log"),
        ];
        let written = [POLICY_PATH, "AGENTS.md", ".gitignore"];
        let paths = written.map(RepoPath::from);
        // What somebody else had written there is not put away.
        let new = paths.iter().zip(texts.iter().map(String::as_bytes));
        let new = new.filter(|(path, _)| !top.join(path.to_string()).exists());
        let journal = Journal::begin(&repository, top, new, Vec::new())?;
        journal.around(|| {
            for (name, text) in written.iter().zip(&texts) {
                write_whole(&top.join(name), text)?;
            }
            repository.stage(&paths)
        })?;
        for path in written {
            say(format!("wrote {path}"));
        }
        if self.hooks {
            hooks::install(&repository)?;
        }
        let proposal = staged(&repository)?;
        let report = guard(&repository, &proposal, context.at(), true)?;
        if report.refused() {
            return Err(refuse(&report, &proposal));
        }
        say("the guard passes\nnext: git commit -m 'Begin with orch', then orch task open");
        Ok(())
    }
}

fn template(name: &str) -> Result<&'static str, Stop> {
    let names = || TEMPLATES.iter().map(|(name, ..)| *name);
    let found = TEMPLATES.iter().find(|(known, ..)| *known == name);
    found.map(|(.., text)| *text).ok_or_else(|| {
        let help = match did_you_mean(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let lines = TEMPLATES.iter().map(|(name, what, _)| format!("{name}: {what}"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        Stop::fault(format!("there is no template `{name}`"), help)
    })
}

/// A repository whose first branch is not `main` protects the one it has.
fn for_branch(text: &str, repository: &GitRepository) -> Result<String, Stop> {
    let branches = repository.branches()?;
    let has_main = branches.iter().any(|branch| branch.name == "main");
    Ok(match repository.current_branch()? {
        Some(branch) if !has_main => {
            text.replace("protected: [main]", &format!("protected: [\"{branch}\"]"))
        }
        _ => text.to_owned(),
    })
}

/// Puts the section in, or puts the current one where an older one stands.
fn with_section(before: &str) -> String {
    let section = format!("{AGENTS_BEGIN}\n{AGENTS}{AGENTS_END}\n");
    let old = before.find(AGENTS_BEGIN).zip(before.find(AGENTS_END));
    if let Some((begin, end)) = old.filter(|(begin, end)| begin < end) {
        let rest = before[end + AGENTS_END.len()..].trim_start_matches('\n');
        return format!("{}{section}{rest}", &before[..begin]);
    }
    let gap = if before.is_empty() { "" } else { "\n" };
    format!("{before}{gap}{section}")
}

fn with_line(before: &str, line: &str) -> String {
    if before.lines().any(|known| known.trim() == line) {
        return before.to_owned();
    }
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{gap}{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_replaced_not_repeated() {
        let once = with_section("# Ours\n");
        assert!(once.starts_with("# Ours\n\n<!-- orch: begin -->"));
        assert_eq!(with_section(&once), once);
        assert_eq!(with_section(&format!("{once}\nafter\n")), format!("{once}after\n"));
    }

    #[test]
    fn a_line_stands_once() {
        assert_eq!(with_line("a", "b"), "a\nb\n");
        assert_eq!(with_line("a\nb\n", "b"), "a\nb\n");
    }

    /// A token is about four bytes of English.
    #[test]
    fn what_an_agent_must_read_is_short() {
        assert!(AGENTS.len() < 1_200, "{} bytes", AGENTS.len());
    }
}
