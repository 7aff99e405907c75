//! `orch dispatch`: run the plan on this machine. Each task gets a worktree and a branch, its agent's
//! own command, a handoff, a gate, and is merged; a crash of one harms no other.

mod attempt;
mod bench;
mod board;
mod floor;
mod landing;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use self::bench::Shop;
use self::board::Board;
use self::floor::Floor;
use super::Stop;
use super::context::{Context, View};
use super::lock::Lock;
use super::output::{id, say};
use super::phases::at_least_one;
use super::plan::{Which, items, tell};
use super::signals::Signals;
use crate::plan::plan;
use crate::snapshot::GitRepository;
use crate::source::TaskId;

/// Run the plan here: a worktree and a branch for each task, agents' own commands.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs on the branch that is checked out, and merges into it what passed its \
                        gate. The policy says each\nagent's `command`; it sees ORCH_TASK, \
                        ORCH_STAGE, ORCH_RUN_ID, ORCH_BRANCH and ORCH_PROMPT_FILE.\nCtrl-C lets \
                        all agents rest; the same command goes on where it stopped. Exit code 1 if \
                        a task failed.\nExample: orch dispatch --parallel 4 --agent orchestrator"
)]
pub(super) struct Dispatch {
    #[command(flatten)]
    which: Which,
    /// Only these tasks
    #[arg(value_name = "TASK", value_parser = id::<TaskId>)]
    tasks: Vec<TaskId>,
    /// How many agents may work at once; by default as the policy says, else one for each core
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    parallel: Option<usize>,
    /// Where the worktrees are made; by default beside the repository, in `NAME.worktrees`
    #[arg(long, value_name = "DIR")]
    worktrees: Option<PathBuf>,
    /// Claim each task at the remote first, where several machines dispatch
    #[arg(long)]
    claim: bool,
    /// Walk the whole plan, and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Dispatch {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, false)?;
        self.which.known(context, &view)?;
        let policy = view.policy();
        let parallel = self.parallel.or(policy.fleet.parallel).unwrap_or_else(cores).max(1);
        let coordinator = context.agent(&policy)?;
        if !policy.directs(&coordinator) {
            let message = format!("`{coordinator}` is no coordinator, so it records no gates");
            let help = "dispatch as one: `--agent NAME` or ORCH_AGENT";
            return Err(Stop::denied(message, help));
        }
        for task in &self.tasks {
            view.task(task)?;
        }
        if self.dry_run {
            let mut items = items(context, &view, &self.which)?;
            items.retain(|item| self.takes(&item.task.task_id));
            let planned = plan(&policy, &items, parallel);
            tell(&planned);
            let tasks = planned.waves.iter().flat_map(|wave| &wave.tasks);
            let mut idle: Vec<_> = tasks.filter_map(|placed| placed.agent.as_ref()).collect();
            idle.retain(|agent| policy.command_of(agent).is_empty());
            idle.sort();
            idle.dedup();
            for agent in idle {
                say(format!("note: the policy gives {agent} no `command`; its tasks would wait"));
            }
            say("nothing was written");
            return Ok(());
        }
        let branch = ready_to_merge(&view.repository)?;
        let signals = Signals::begin()?;
        signals.idle(false);
        let shop = self.shop(context, &view.repository)?;
        let _only_one = only_one(&view.repository)?;
        let board = Board::begin(&branch, parallel);
        let floor =
            Floor { context, shop: &shop, signals: &signals, coordinator, parallel, branch };
        floor.run(&board, |item| self.which.takes(item) && self.takes(&item.task.task_id))
    }

    fn takes(&self, task: &TaskId) -> bool {
        self.tasks.is_empty() || self.tasks.contains(task)
    }

    fn shop(&self, context: &Context, repository: &GitRepository) -> Result<Shop, Stop> {
        let top = repository.work_dir().ok_or_else(|| {
            Stop::fault("a bare repository has no files to work on", "work in a clone of it")
        })?;
        let top = top.canonicalize().map_err(|error| {
            Stop::fault(format!("{} can't be found: {error}", top.display()), "try again")
        })?;
        let program = std::env::current_exe().map_err(|error| {
            Stop::fault(format!("orch can't find itself: {error}"), "run it by its path")
        })?;
        let name = top.file_name().map(|name| name.to_string_lossy().into_owned());
        let beside = format!("{}.worktrees", name.unwrap_or_else(|| "orch".into()));
        let worktrees = match &self.worktrees {
            Some(folder) => context.directory().join(folder),
            None => top.parent().unwrap_or(&top).join(beside),
        };
        let notes = repository.common_dir().join("orch").join("dispatch");
        let session = match context.session() {
            Some(session) => session.to_owned(),
            None => format!("dispatch-{}", crate::draft::stamp(context.at())),
        };
        let hooked = ["pre-commit", "pre-merge-commit"]
            .iter()
            .all(|name| super::hooks::calls_orch(repository, name));
        let spare = bench::left_behind(&worktrees);
        let (made, spare) = (spare.len().into(), spare.into());
        let claims = self.claim;
        Ok(Shop { top, worktrees, notes, program, session, hooked, claims, spare, made })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Gives the branch that work is merged into; refuses while none is checked out, or something is
/// staged there, which a merge would refuse as well.
fn ready_to_merge(repository: &GitRepository) -> Result<String, Stop> {
    let Some(branch) = repository.current_branch()? else {
        let help = "check one out: `git switch main`";
        return Err(Stop::fault("no branch is checked out that work could be merged into", help));
    };
    let staged = repository.run_git(&["diff", "--cached", "--name-only"])?;
    if let Some(first) = staged.lines().next() {
        let message = format!("`{first}` is staged, and what agents do is merged here");
        return Err(Stop::denied(message, "commit it first: `git commit`"));
    }
    Ok(branch)
}

/// Keeps a second dispatch out of this repository as long as this one runs.
fn only_one(repository: &GitRepository) -> Result<std::fs::File, Stop> {
    let folder = repository.common_dir().join("orch");
    let path = folder.join("dispatch.lock");
    let unable = |error: std::io::Error| {
        Stop::fault(
            format!("{} can't be made: {error}", path.display()),
            "make the folder writable",
        )
    };
    drop(Lock::take(repository)?);
    let file = std::fs::File::create(&path).map_err(unable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Stop::denied(
            "another dispatch runs in this repository",
            "wait for it, or end it with Ctrl-C there",
        )),
    }
}

/// How often the floor is looked at.
const GLANCE: Duration = Duration::from_millis(20);
