//! `orch guard` and `orch verify`: judge a proposal, tell what was found.

use std::path::PathBuf;
use std::time::Instant;

use super::Stop;
use super::bar::Bar;
use super::context::{Context, readable_policy, staged};
use super::files::write_output;
use super::output::{complain, moment, report_format, show, show_error, style};
use super::push::{pushed, received};
use super::trace;
use super::worktree::changed_on_disk;
use crate::diagnostic::Report;
use crate::guard::{guard, verify};
use crate::render::{ReportFormat, Style, Verdict, render};
use crate::snapshot::{GitRepository, Proposal, Side};
use crate::source::Moment;

/// How the result is told.
#[derive(Debug, clap::Args)]
struct Telling {
    /// human or json; for CI services sarif, github (annotations), markdown (a summary) or junit
    #[arg(long, default_value = "human", value_parser = report_format)]
    format: ReportFormat,
    /// Write the result to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Judge as of this moment, in RFC 3339
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<Moment>,
}

/// Judge what is staged, or a range of commits.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing refused, 1 something refused, 2 could not \
                        look.\nExamples: orch guard; orch guard --base origin/main --format \
                        github; orch guard --base origin/main --format sarif --output orch.sarif")]
pub(super) struct Guard {
    /// Judge what the next commit would hold; this is the default
    #[arg(long, conflicts_with_all = ["base", "head", "pre_push", "pre_receive"])]
    staged: bool,
    /// Judge the commits that --head has and REV lacks
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The end of the range
    #[arg(long, value_name = "REV", default_value = "HEAD", requires = "base")]
    head: String,
    /// The branch that is judged, if it is not the current one
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The branch is another repository's, and not the protected one of that name here
    #[arg(long, requires = "base")]
    fork: bool,
    /// Judge what `git push` is about to send, as its pre-push hook is told on standard input
    #[arg(long, conflicts_with = "base")]
    pre_push: bool,
    /// Judge what was pushed and waits to be accepted, as a server's pre-receive hook is told on
    /// standard input
    #[arg(long, conflicts_with_all = ["base", "pre_push"])]
    pre_receive: bool,
    /// What a pre-push hook is given: the remote's name and address
    #[arg(hide = true)]
    remote: Vec<String>,
    /// Accept the change that brings the first policy
    #[arg(long)]
    bootstrap: bool,
    /// Refuse if nothing at all was examined
    #[arg(long)]
    require: bool,
    #[command(flatten)]
    telling: Telling,
}

/// Replay every ledger from its first entry, and walk history: no commit edits or drops a record.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It reads all records, all checksums and all commits that lead to REV, each against \
                  every one of its parents.\nExit codes: 0 nothing refused, 1 something refused, 2 \
                  could not look.\nExamples: orch verify; orch verify --anchor v1.0; in a shallow \
                  clone, for the tree alone: orch verify --anchor HEAD"
)]
pub(super) struct Verify {
    /// The commit to verify
    #[arg(default_value = "HEAD")]
    rev: String,
    /// Walk only the commits behind this one, which is known to be sound and from which REV must
    /// descend
    #[arg(long, value_name = "REV")]
    anchor: Option<String>,
    /// Compare the files on disk too with what was handed over, whatever Git was told to skip
    #[arg(long, conflicts_with = "rev")]
    worktree: bool,
    /// Refuse if nothing at all was examined
    #[arg(long)]
    require: bool,
    #[command(flatten)]
    telling: Telling,
}

impl Guard {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(word) = self.remote.first().filter(|_| !self.pre_push) {
            let help = "a range is `--base REV --head REV`, a branch's name `--branch NAME`; `orch guard` \
                        alone judges what is staged";
            return Err(Stop::fault(format!("`orch guard` takes no argument `{word}`"), help));
        }
        if self.bootstrap && event_is("pull_request_target") {
            let message =
                "a `pull_request_target` job must not take its policy from the pull request";
            let help =
                "run this job on `pull_request`; let a maintainer merge the first policy by hand";
            return Err(Stop::fault(message, help));
        }
        if (self.pre_push || self.pre_receive) && self.telling.format.is_one_document() {
            let format = self.telling.format;
            let message =
                format!("{format} is one document, and a push may bring several branches");
            let help = "ask for `--format json`, which gives one line for each";
            return Err(Stop::fault(message, help));
        }
        let repository = match self.pre_receive {
            true => context.receiving_repository()?,
            false => context.repository()?,
        };
        let proposals = self.proposals(&repository)?;
        let mut stopped = Ok(());
        for proposal in proposals {
            // In a clone of one's own the first policy is seen by whoever commits and pushes it.
            let own = self.pre_push || proposal.head == Side::Index;
            let bootstrap = self.bootstrap || own;
            let told =
                tell(context, &repository, &proposal, bootstrap, self.require, &self.telling);
            stopped = stopped.and(told);
        }
        stopped
    }

    fn proposals(&self, repository: &GitRepository) -> Result<Vec<Proposal>, Stop> {
        if self.pre_push {
            return pushed(repository, self.remote.first().map(String::as_str));
        }
        if self.pre_receive {
            return received(repository);
        }
        let Some(base) = &self.base else {
            let mut proposal = staged(repository)?;
            proposal.branch = self.branch.clone().or(proposal.branch);
            return Ok(vec![proposal]);
        };
        let branch = match &self.branch {
            Some(branch) => Some(branch.clone()),
            None => named_by_ci().or(repository.current_branch()?),
        };
        let branch = branch.map(|name| target_of_queue(&name).unwrap_or(name));
        let mut proposal = repository.range(base, &self.head, branch)?;
        if self.fork {
            proposal.branch = foreign(repository, &proposal)?;
        }
        Ok(vec![proposal])
    }
}

/// Gives the name of a branch of another repository: one that is protected here is said to be foreign, and so
/// has none of the freedom of what was merged there.
fn foreign(repository: &GitRepository, proposal: &Proposal) -> Result<Option<String>, Stop> {
    let policy = readable_policy(repository, proposal.agreed)?;
    let protected = |name: &str| policy.as_ref().is_some_and(|policy| policy.is_protected(name));
    let name = proposal.branch.clone();
    Ok(name.map(|name| if protected(&name) { format!("fork:{name}") } else { name }))
}

/// Tells whether GitHub runs this for an event of a name.
fn event_is(name: &str) -> bool {
    std::env::var("GITHUB_EVENT_NAME").is_ok_and(|event| event == name)
}

/// The branch as the two widest-spread CI services tell it.
fn named_by_ci() -> Option<String> {
    ["GITHUB_HEAD_REF", "CI_COMMIT_REF_NAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
}

/// A merge group stands for the branch it goes to.
fn target_of_queue(name: &str) -> Option<String> {
    let rest = name.strip_prefix("gh-readonly-queue/")?;
    let (target, _) = rest.rsplit_once("/pr-")?;
    Some(target.to_owned())
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let proposal = repository.verification(&self.rev, self.anchor.as_deref())?;
        let began = Instant::now();
        let at = self.telling.at.unwrap_or(context.at());
        let bar = Bar::begin();
        let mut report = verify(&repository, &proposal, at, &|progress| bar.show(progress))?;
        drop(bar);
        if self.worktree {
            report.findings.extend(changed_on_disk(context, &repository)?);
            report.settle();
        }
        conclude(context, &proposal, (&report, began), self.require, &self.telling)
    }
}

/// Judges one proposal and tells the result.
fn tell(
    context: &Context,
    repository: &GitRepository,
    proposal: &Proposal,
    bootstrap: bool,
    require: bool,
    telling: &Telling,
) -> Result<(), Stop> {
    let began = Instant::now();
    let at = telling.at.unwrap_or(context.at());
    let report = guard(repository, proposal, at, bootstrap)?;
    conclude(context, proposal, (&report, began), require, telling)
}

/// Tells what was found since a moment, and gives how the command ends.
fn conclude(
    context: &Context,
    proposal: &Proposal,
    (report, began): (&Report, Instant),
    require: bool,
    telling: &Telling,
) -> Result<(), Stop> {
    let elapsed = began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    let verdict = Verdict::new(report, proposal, elapsed);
    match &telling.output {
        Some(file) => {
            let plain = Style { colour: false, ..style() };
            write_output(
                &context.directory().join(file),
                &render(&verdict, telling.format, plain),
            )?;
        }
        None if telling.format == ReportFormat::Human && report.refused() => {
            show_error(render(&verdict, telling.format, style()).trim_end());
        }
        None => show(render(&verdict, telling.format, style())),
    }
    if report.refused() {
        trace::refused(report);
        return Err(Stop::Refused);
    }
    if require && examined_nothing(report) {
        complain("nothing was examined, and --require was given");
        return Err(Stop::Refused);
    }
    Ok(())
}

fn examined_nothing(report: &Report) -> bool {
    report.examined.records == 0 && report.examined.paths == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_group_stands_for_its_target() {
        let name = "gh-readonly-queue/release/1.x/pr-12-0123abc";
        assert_eq!(target_of_queue(name).as_deref(), Some("release/1.x"));
        assert_eq!(target_of_queue("feature/x"), None);
    }
}
