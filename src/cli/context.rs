//! The process around a command: where it runs, who acts, what time it is.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use super::output::complain;
use super::{Stop, Who};
use crate::draft::Author;
use crate::guard;
use crate::ledger::State;
use crate::plan::Asker;
use crate::policy::Policy;
use crate::record::{Home, RecordPath, did_you_mean};
use crate::render::Format;
use crate::snapshot::{Fault, GitEnvironment, GitRepository, Oid, Proposal, Repository, Side};
use crate::source::{AgentName, Moment, RunId, TaskId};
use crate::world::{Focus, LedgerView, World};

/// What a command knows of its process.
#[derive(Debug, Clone)]
pub(super) struct Context {
    who: Who,
    named: bool,
    directory: PathBuf,
    environment: GitEnvironment,
    at: Moment,
    began: Instant,
    json: bool,
}

impl Context {
    /// Reads the process's folder, environment and clock, once; `named` says whether the agent stands on
    /// the command line.
    pub(super) fn of_process(who: Who, named: bool) -> Self {
        let arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let arguments: Vec<String> = arguments.collect();
        let json = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
            || arguments.iter().any(|argument| argument == "--format=json");
        Context {
            who,
            named,
            directory: std::env::current_dir().unwrap_or_default(),
            environment: GitEnvironment::from_vars(std::env::vars_os()),
            at: Moment::new(Utc::now()),
            began: Instant::now(),
            json,
        }
    }

    /// Gives the same process as it is by now, for a command that takes its time.
    pub(super) fn by_now(&self) -> Self {
        Context { at: Moment::new(Utc::now()), ..self.clone() }
    }

    /// Gives the same process as it would be in another folder.
    pub(super) fn standing_in(&self, folder: &std::path::Path) -> Self {
        Context { directory: folder.to_owned(), ..self.by_now() }
    }

    /// Gives the context that the process works from, if it was named.
    pub(super) fn session(&self) -> Option<&str> {
        self.who.session.as_deref().filter(|session| !session.is_empty())
    }

    /// Gives who asks and from which session, if both were said and the policy knows the agent.
    pub(super) fn asker<'a>(&'a self, policy: &'a Policy) -> Option<Asker<'a>> {
        Some(Asker { agent: self.known_agent(policy)?, session: self.session()? })
    }

    fn known_agent<'a>(&self, policy: &'a Policy) -> Option<&'a AgentName> {
        let name: AgentName = self.agent_word()?.parse().ok()?;
        policy.agents.get_key_value(&name).map(|(known, _)| known)
    }

    /// Gives the folder that the process stands in.
    pub(super) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// Tells whether this process was started by the command of a run (`orch run exec`).
    pub(super) fn is_within(&self, run: &RunId) -> bool {
        std::env::var("ORCH_RUN_ID").is_ok_and(|id| id == run.as_str())
    }

    /// Gives the moment the command began.
    pub(super) fn at(&self) -> Moment {
        self.at
    }

    /// Gives how long the process has been at it.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Gives the run that the process is part of: that of `ORCH_RUN_ID`, or one of its own (R003-32).
    pub(super) fn run_word(&self) -> String {
        let given = variable("ORCH_RUN_ID");
        given.unwrap_or_else(|| format!("p{}-{}", crate::draft::stamp(self.at), std::process::id()))
    }

    /// Gives where the process runs, such as `production`: `ORCH_ENVIRONMENT` or `APP_ENV`, else
    /// `local` (R003-32).
    pub(super) fn surroundings(&self) -> String {
        let named = variable("ORCH_ENVIRONMENT").or_else(|| variable("APP_ENV"));
        named.unwrap_or_else(|| "local".into())
    }

    /// Gives the form in which errors are told.
    pub(super) fn error_format(&self) -> Format {
        if self.json { Format::Json } else { Format::Human }
    }

    /// Opens the repository around the process's folder.
    pub(super) fn repository(&self) -> Result<GitRepository, Fault> {
        GitRepository::open(&self.directory, &self.environment)
    }

    /// Opens the repository that a push waits to be accepted by, with what lies in its quarantine.
    pub(super) fn receiving_repository(&self) -> Result<GitRepository, Fault> {
        GitRepository::open(&self.directory, &self.environment.clone().within_quarantine())
    }

    /// Opens the repository around another folder, such as a worktree of this one.
    pub(super) fn repository_at(&self, folder: &std::path::Path) -> Result<GitRepository, Fault> {
        GitRepository::open(folder, &self.environment)
    }

    /// Gives who acts; refuses if that was not said, or if the policy knows no such agent.
    pub(super) fn agent(&self, policy: &Policy) -> Result<AgentName, Stop> {
        let known = || policy.agents.keys().map(AgentName::as_str);
        let Some(text) = &self.who.agent else {
            let names = known().collect::<Vec<_>>().join(", ");
            let help = format!("set ORCH_AGENT or `--agent` to one of {names}");
            return Err(Stop::fault("nobody says who acts", help));
        };
        self.known_agent(policy).cloned().ok_or_else(|| unknown_agent(policy, text, ""))
    }

    /// Gives the named agent without asking the policy, for questions that are not about them.
    pub(super) fn agent_word(&self) -> Option<&str> {
        self.who.agent.as_deref()
    }

    /// Gives the agent that was named on the command line, and not only by the environment.
    pub(super) fn named_agent(&self) -> Option<&str> {
        self.who.agent.as_deref().filter(|_| self.named)
    }

    /// Gives what goes into the envelope of an entry.
    pub(super) fn author(&self, policy: &Policy, branch: Option<String>) -> Result<Author, Stop> {
        Ok(Author {
            actor: self.agent(policy)?,
            session: self.who.session.clone().filter(|session| !session.is_empty()),
            branch,
            at: self.at,
        })
    }
}

/// Gives a variable of the process that is text and says something.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Tells that the policy knows no such agent, with the nearest name; `place` is where it was read.
pub(super) fn unknown_agent(policy: &Policy, text: &str, place: &str) -> Stop {
    let known = || policy.agents.keys().map(AgentName::as_str);
    let help = match did_you_mean(text, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the policy knows {}", known().collect::<Vec<_>>().join(", ")),
    };
    Stop::fault(format!("{place}the policy knows no agent `{text}`"), help)
}

/// Gives what is staged, as a proposal on the current branch.
pub(super) fn staged(repository: &GitRepository) -> Result<Proposal, Fault> {
    // Only a merge asks which of its parents have landed.
    let tips = match repository.is_merging()? {
        true => protected_tips(repository, Side::Index)?,
        false => Vec::new(),
    };
    repository.staged(&tips)
}

/// Gives what is staged; while files conflict, what was last committed, which can still be read.
fn readable(repository: &GitRepository) -> Result<Proposal, Fault> {
    staged(repository).or_else(|conflict| {
        complain(format!("{conflict}: this is what was last committed"));
        repository.range("HEAD", "HEAD", repository.current_branch()?)
    })
}

fn tasks(focus: &[&TaskId]) -> Focus {
    Focus::Tasks(focus.iter().map(|id| (*id).clone()).collect())
}

/// Gives the tips of the protected branches here and at the remotes, by the policy of one side.
pub(super) fn protected_tips(repository: &GitRepository, side: Side) -> Result<Vec<Oid>, Fault> {
    let Some(policy) = readable_policy(repository, side)? else { return Ok(Vec::new()) };
    let branches = repository.branches()?;
    let protected = branches.iter().filter(|branch| {
        let name = match branch.remote {
            true => branch.name.split_once('/').map_or(branch.name.as_str(), |(_, name)| name),
            false => &branch.name,
        };
        policy.is_protected(name)
    });
    Ok(protected.map(|branch| branch.tip).collect())
}

/// Gives the policy of one side, if there is one that can be used.
pub(super) fn readable_policy(
    repository: &GitRepository,
    side: Side,
) -> Result<Option<Policy>, Fault> {
    let path = crate::source::RepoPath::from(crate::policy::POLICY_PATH);
    let Some(node) = repository.node(side, &path)? else { return Ok(None) };
    Ok(Policy::parse(&repository.read(node.oid)?, &crate::checks::names()).ok())
}

/// What is staged, seen through some tasks.
pub(super) struct View {
    /// The repository.
    pub(super) repository: GitRepository,
    /// What is staged.
    pub(super) proposal: Proposal,
    /// The world of what is staged; never taken apart, which would take longer than the process has
    /// left when it is done with it.
    pub(super) world: ManuallyDrop<World>,
}

impl View {
    /// Looks at what is staged, and at tasks it does not touch.
    pub(super) fn of(context: &Context, focus: &[&TaskId]) -> Result<Self, Fault> {
        let repository = context.repository()?;
        let proposal = readable(&repository)?;
        View::through(context, repository, proposal, tasks(focus))
    }

    /// Looks at what is staged, or at what was last committed while files conflict, and says nothing of that.
    pub(super) fn quietly(context: &Context) -> Result<Self, Fault> {
        let repository = context.repository()?;
        let proposal = staged(&repository).or_else(|_| repository.range("HEAD", "HEAD", None))?;
        View::through(context, repository, proposal, tasks(&[]))
    }

    /// Looks at what is staged in a repository that is open already; refuses while files conflict.
    pub(super) fn within(
        context: &Context,
        repository: GitRepository,
        focus: &[&TaskId],
    ) -> Result<Self, Fault> {
        let proposal = staged(&repository)?;
        View::through(context, repository, proposal, tasks(focus))
    }

    /// The same, and at all open tasks and some other ledgers.
    pub(super) fn beside(
        context: &Context,
        repository: GitRepository,
        focus: Focus,
    ) -> Result<Self, Fault> {
        let proposal = staged(&repository)?;
        View::through(context, repository, proposal, focus)
    }

    /// Looks at what is staged, and at all tasks: the open ones, or the closed ones too.
    pub(super) fn of_all(context: &Context, closed: bool) -> Result<Self, Fault> {
        View::focused(context, if closed { Focus::All } else { Focus::Open })
    }

    /// Looks at what is staged, through a focus.
    pub(super) fn focused(context: &Context, focus: Focus) -> Result<Self, Fault> {
        let repository = context.repository()?;
        let proposal = readable(&repository)?;
        View::through(context, repository, proposal, focus)
    }

    /// Looks at all tasks of a commit, as of its newest entry: what is measured there never changes.
    pub(super) fn at_commit(context: &Context, rev: &str) -> Result<Self, Fault> {
        let repository = context.repository()?;
        let proposal = repository.range(rev, rev, None)?;
        let mut view = View::through(context, repository, proposal, Focus::All)?;
        let records = view.world.ledgers.values().flat_map(|ledger| &ledger.records);
        let newest = records.map(|record| record.entry.recorded_at).max();
        view.world.at = newest.unwrap_or(view.world.at);
        Ok(view)
    }

    /// Looks at every task of a commit, or of what is staged, as of a moment.
    pub(super) fn at(context: &Context, rev: Option<&str>, at: Moment) -> Result<Self, Fault> {
        let repository = context.repository()?;
        let proposal = match rev {
            Some(rev) => repository.range(rev, rev, None)?,
            None => readable(&repository)?,
        };
        let world = guard::look(&repository, &proposal, at, true, Focus::All)?;
        Ok(View { repository, proposal, world: ManuallyDrop::new(world) })
    }

    /// Looks at a proposal through a focus.
    pub(super) fn through(
        context: &Context,
        repository: GitRepository,
        proposal: Proposal,
        focus: Focus,
    ) -> Result<Self, Fault> {
        let world = guard::look(&repository, &proposal, context.at(), true, focus)?;
        Ok(View { repository, proposal, world: ManuallyDrop::new(world) })
    }

    /// Counts the records of ledgers that this view does not hold: nobody can read them, or they stand behind
    /// one that nobody can. The view must hold every ledger.
    pub(super) fn uncounted(&self) -> Result<usize, Fault> {
        let files =
            self.repository.list(self.proposal.head, &crate::source::RepoPath::from(".orch"))?;
        let places = files.iter().filter_map(|(path, _)| RecordPath::parse(path).ok());
        let ledgers = self.world.ledgers.values().filter(|ledger| ledger.home != Home::Decision);
        let held: usize = ledgers.map(|ledger| ledger.records.len()).sum();
        let written = places.filter(|place| place.home != Home::Decision).count();
        Ok(written.saturating_sub(held))
    }

    /// Gives the agreed policy.
    pub(super) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.world.policy)
    }

    /// Gives the commit that is looked at, or that is staged upon, in hex; none before the first.
    pub(super) fn commit(&self) -> Option<String> {
        match self.proposal.head {
            Side::Commit(oid) => Some(oid.to_string()),
            Side::Nothing | Side::Index => self.head(),
        }
    }

    /// Gives HEAD's commit in hex; none before the first commit.
    pub(super) fn head(&self) -> Option<String> {
        match self.proposal.base {
            Side::Commit(oid) => Some(oid.to_string()),
            Side::Nothing | Side::Index => None,
        }
    }

    /// Gives a task's ledger and where it stands; refuses if there is no such task.
    pub(super) fn task(&self, id: &TaskId) -> Result<(&LedgerView, &State), Stop> {
        let ledger = self.world.ledgers.get(&Home::Task(id.clone()));
        let known = ledger.and_then(|ledger| Some((ledger, ledger.state()?)));
        known.ok_or_else(|| self.unknown(id))
    }

    fn unknown(&self, id: &TaskId) -> Stop {
        // Compared in lower case, told as it was opened.
        let agreed = self.world.survey.folders.names().map(str::to_owned);
        let homes = self.world.ledgers.iter().filter(|(home, _)| matches!(home, Home::Task(_)));
        let names = agreed.chain(homes.map(|(_, ledger)| ledger.folder.file_name().to_string()));
        let names: BTreeMap<_, _> = names.map(|name| (name.to_lowercase(), name)).collect();
        let near = did_you_mean(&id.as_str().to_lowercase(), names.keys().map(String::as_str));
        let help = match near.and_then(|near| names.get(near)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "open it with `orch task open`, or see `orch task list --all`".into(),
        };
        Stop::fault(format!("there is no task `{id}` on this branch"), help)
    }
}
