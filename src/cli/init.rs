//! `orch init`: a policy that passes, a word to agents, and the hooks.

use std::io::ErrorKind;
use std::path::Path;

use super::Stop;
use super::ci::{self, Service, Source};
use super::context::{Context, staged};
use super::decide;
use super::files::write_whole;
use super::hooks;
use super::journal::Journal;
use super::ledger::{Writing, refuse};
use super::lock::Lock;
use super::output::{say, say_lines};
use super::templates::{AGENTS, AGENTS_MARKS, TEMPLATES};
use crate::guard::guard;
use crate::plan::emit::{STAGE_TEMPLATES, stage_templates};
use crate::policy::{POLICY_PATH, Policy, Schemas};
use crate::record::{belongs_to_orch, did_you_mean};
use crate::render::with_block;
use crate::snapshot::{GitRepository, Overlay, Repository as _, Side};
use crate::source::{Moment, RepoPath, many};

/// So many files that are nobody's are named.
const FIRST: usize = 3;
/// Where Git is told what to leave alone.
const IGNORED: &str = ".gitignore";

/// Start here: write a policy, and the hooks that enforce it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes .orch/policy.yaml, a line of .gitignore, and a part of AGENTS.md, \
                        and of CLAUDE.md\nif that is there; and stages them.\nThe torghut \
                        template brings AgentRuns to fill in, too. `--ci` writes what the service reads, \
                        and\nnothing else where a policy is there already.\nExamples: orch init --template \
                        strategy --hooks\n          orch init --ci github")]
pub(super) struct Init {
    /// team (taken where none is named), strategy, model, torghut, trader or hedge
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Install the Git hooks too
    #[arg(long)]
    hooks: bool,
    /// Have every change judged by this service, too
    #[arg(long, value_name = "SERVICE", value_enum)]
    ci: Option<Service>,
    /// Where its runners build orch from, if they have none: OWNER/NAME@COMMIT, or URL@COMMIT
    #[arg(long, value_name = "REPOSITORY", requires = "ci")]
    source: Option<Source>,
    /// Begin the policy, and every record that is written, with a line that leads editors to its schema: in
    /// this folder of the repository, or at this address
    #[arg(long, value_name = "DIR")]
    schemas: Option<Schemas>,
    /// Leave AGENTS.md and CLAUDE.md alone
    #[arg(long)]
    no_agents_file: bool,
    /// Replace a policy that is there, or with `--ci github` the workflow
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: Writing,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let text = template(self.template.as_deref().unwrap_or("team"))?;
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let Some(top) = repository.work_dir() else {
            let help = "work in a clone of it; on the server, use a hook";
            return Err(Stop::fault("a bare repository has no files to write", help));
        };
        let begun = top.join(POLICY_PATH).exists();
        let adds = begun && self.ci.is_some() && self.template.is_none();
        if begun && !adds {
            self.may_replace()?;
        }
        let policy = match adds {
            true => whole(top, POLICY_PATH)?,
            false => self.with_schemas(for_branch(text, &repository)?),
        };
        let mut files = if adds { Vec::new() } else { self.files(&repository, top, &policy)? };
        files.extend(self.of_service(top, &policy)?);
        let dry_run = self.writing.dry_run;
        match dry_run {
            true => files.iter().for_each(|(path, _)| say(format!("would write {path}"))),
            false => write(&repository, top, &files)?,
        }
        if self.hooks {
            hooks::install(&repository, hooks::Change { dry_run })?;
        }
        if self.ci.is_some() {
            ci::tell_source(self.source.as_ref());
        }
        if adds {
            let files: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            let words = ["Judge changes in CI", "Hooks can be skipped", "CI judges every change"];
            say_lines(decide::to_be_typed("orch/ci", words, &files));
            return Ok(());
        }
        let to_come = if dry_run { &files[..] } else { &[] };
        judge(&repository, to_come, context.at())?;
        tell_unowned(&repository, &policy)?;
        match dry_run {
            true => say("the guard would pass"),
            false => say_lines(
                "the guard passes\nnext: git commit -m 'Begin with orch', then orch task open",
            ),
        }
        Ok(())
    }

    /// Refuses to replace a policy that is there, unless that was asked for.
    fn may_replace(&self) -> Result<(), Stop> {
        if !self.force {
            let help = "change it on a branch `orch/…`, or replace it with `orch init --force`";
            return Err(Stop::fault(format!("{POLICY_PATH} is there already"), help));
        }
        if self.template.is_none() {
            let help =
                "name the one that it shall begin with again: `orch init --force --template NAME`";
            let message = format!("{POLICY_PATH} is there already, and no template was named");
            return Err(Stop::denied(message, help));
        }
        Ok(())
    }

    /// Gives what a repository begins with: names of files below the top, and their texts.
    fn files(
        &self,
        repository: &GitRepository,
        top: &Path,
        policy: &str,
    ) -> Result<Vec<(String, String)>, Stop> {
        let ignored = with_line(&whole(top, IGNORED)?, "/logs/agent_activity.log");
        let mut files =
            vec![(POLICY_PATH.to_owned(), policy.to_owned()), (IGNORED.to_owned(), ignored)];
        for name in self.agents_files(repository, top) {
            let told = with_block(&whole(top, name)?, AGENTS_MARKS, AGENTS);
            let told =
                told.map_err(|fault| Stop::denied(format!("{name}: {fault}"), fault.help))?;
            files.push((name.to_owned(), told));
        }
        files.extend(self.manifests(policy, top));
        Ok(files)
    }

    /// Gives what the CI service reads, if one was named. What somebody else had written stays.
    fn of_service(&self, top: &Path, policy: &str) -> Result<Vec<(String, String)>, Stop> {
        let Some(service) = self.ci else { return Ok(Vec::new()) };
        let policy = Policy::parse(policy.as_bytes(), &crate::checks::names()).map_err(|_| {
            Stop::fault(format!("{POLICY_PATH} can't be used"), "see why: `orch guard`")
        })?;
        let files = service.files(self.source.as_ref(), &policy);
        service.spare(top, &files, self.force)?;
        Ok(files)
    }
}

/// Writes and stages files, all of them or none.
fn write(repository: &GitRepository, top: &Path, files: &[(String, String)]) -> Result<(), Stop> {
    let paths: Vec<RepoPath> =
        files.iter().map(|(name, _)| RepoPath::from(name.as_str())).collect();
    // What somebody else had written there is not put away.
    let new = paths.iter().zip(files.iter().map(|(_, text)| text.as_bytes()));
    let new = new.filter(|(path, _)| !top.join(path.to_string()).exists());
    let journal = Journal::begin(repository, top, new, Vec::new())?;
    journal.around(|| {
        for (name, text) in files {
            write_whole(&top.join(name), text)?;
        }
        repository.stage(&paths)
    })?;
    for (path, _) in files {
        say(format!("wrote {path}"));
    }
    Ok(())
}

/// Judges what is staged, and files that are yet to be written.
fn judge(repository: &GitRepository, to_come: &[(String, String)], at: Moment) -> Result<(), Stop> {
    let mut overlay = Overlay::new(repository);
    for (path, text) in to_come {
        overlay.add(RepoPath::from(path.as_str()), text.clone().into_bytes());
    }
    let mut proposal = staged(repository)?;
    proposal.changes = overlay.changes(proposal.base, Side::Index)?;
    let report = guard(&overlay, &proposal, at, true)?;
    if report.refused() {
        return Err(refuse(&report, &proposal));
    }
    Ok(())
}

/// Tells which tracked files are nobody's under a policy: whoever changes one is refused, however long it was there.
fn tell_unowned(repository: &GitRepository, policy: &str) -> Result<(), Stop> {
    let policy = Policy::parse(policy.as_bytes(), &crate::checks::names());
    let policy = policy.expect("every template is a policy");
    let mut paths: Vec<RepoPath> =
        repository.changes(Side::Nothing, Side::Index)?.into_iter().map(|file| file.path).collect();
    paths.retain(|path| {
        let free = belongs_to_orch(path) || policy.is_shared(path) || policy.is_guarded(path);
        !free && policy.lanes_of(path).is_empty()
    });
    let first: Vec<String> = paths.iter().take(FIRST).map(ToString::to_string).collect();
    let more = if paths.len() > FIRST { ", …" } else { "" };
    if !paths.is_empty() {
        say(format!(
            "note: {} in no lane, nor in `shared_paths`, so path-unowned refuses a change there: {}{more}; \
             give them a place in {POLICY_PATH} before you commit it",
            many(paths.len(), "tracked file"),
            first.join(", ")
        ));
    }
    Ok(())
}

impl Init {
    /// Gives the files that tell agents how to work: AGENTS.md, and CLAUDE.md if that is there. A link
    /// leads to a file that is somebody else's to change, or to the other one, what Git ignores is for its
    /// owner alone, and who reads a line `@AGENTS.md` reads that file too: all are left as they are, and
    /// that is said.
    fn agents_files(&self, repository: &GitRepository, top: &Path) -> Vec<&'static str> {
        let mut files = vec!["AGENTS.md"];
        files.extend(Some("CLAUDE.md").filter(|name| {
            let place = top.join(name);
            place.exists() || place.is_symlink()
        }));
        files.retain(|name| {
            let ignored = || repository.run_git(&["check-ignore", "-q", name]).is_ok();
            let why = match top.join(name).is_symlink() {
                _ if self.no_agents_file => return false,
                true => "is a link",
                false if ignored() => "is ignored by Git",
                false if takes_in_agents(&top.join(name)) => "takes in AGENTS.md",
                false => return true,
            };
            say(format!("note: {name} {why}, and was left as it is"));
            false
        });
        files
    }

    /// Says where the schemas lie, if that is known, and puts the line before a policy that editors look for.
    fn with_schemas(&self, policy: String) -> String {
        let Some(schemas) = &self.schemas else { return policy };
        let line = schemas.modeline(&RepoPath::from(POLICY_PATH), "policy");
        format!("{line}{policy}\nschemas: \"{schemas}\"\n")
    }

    /// Gives the AgentRuns that a template brings along: names of files below the top, and their texts
    /// (R001-29). Those that are there stay as they are, unless all is to be replaced.
    fn manifests(&self, policy: &str, top: &Path) -> Vec<(String, String)> {
        let compiled = Policy::parse(policy.as_bytes(), &crate::checks::names());
        let manifests = stage_templates(&compiled.expect("every template is a policy"));
        let manifests =
            manifests.into_iter().map(|(file, text)| (format!("{STAGE_TEMPLATES}/{file}"), text));
        manifests.filter(|(path, _)| self.force || !top.join(path).exists()).collect()
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

/// Reads a file that is not ours alone; one that is not there is empty. Refuses one that is no text.
fn whole(top: &Path, name: &str) -> Result<String, Stop> {
    match std::fs::read_to_string(top.join(name)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            let help = match name {
                IGNORED => "make it a file of UTF-8 text, or move it away",
                _ => {
                    "make it a file of UTF-8 text, or leave it alone: `orch init --no-agents-file`"
                }
            };
            Err(Stop::fault(format!("{name} can't be read: {error}"), help))
        }
    }
}

/// Tells whether a file has a line that takes in AGENTS.md.
fn takes_in_agents(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let bare = |line: &str| line.trim_matches(['\u{feff}', ' ', '\t']).replacen("@./", "@", 1);
    text.lines().any(|line| bare(line) == "@AGENTS.md")
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

    /// What is written beside a policy may be changed later, by anyone.
    #[test]
    fn every_template_shares_what_is_written() {
        for (name, _, text) in TEMPLATES {
            let policy = Policy::parse(text.as_bytes(), &crate::checks::names());
            let policy = policy.expect("every template is a policy");
            for file in ["AGENTS.md", "CLAUDE.md", IGNORED] {
                assert!(policy.is_shared(&RepoPath::from(file)), "{file} in {name}");
            }
        }
    }

    #[test]
    fn a_line_stands_once() {
        assert_eq!(with_line("a", "b"), "a\nb\n");
        assert_eq!(with_line("a\nb\n", "b"), "a\nb\n");
    }

    /// A token is about four bytes of English.
    #[test]
    fn what_an_agent_must_read_is_short() {
        assert!(AGENTS.len() < 1_100, "{} bytes", AGENTS.len());
    }
}
