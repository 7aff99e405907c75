//! Claims on tasks, across clones: one of many who ask a remote at once gets one, and the others are
//! told who has it.

mod note;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use self::note::Note;
use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::Writing;
use super::output::{complain, complain_lines, say};
use crate::ledger::{CLAIMS, RunStanding, RunState, State, TaskClaim};
use crate::policy::Policy;
use crate::record::kind::{Run, TookOver};
use crate::snapshot::{Fault, GitRepository, Oid, Pushed};
use crate::source::{Moment, TaskId};

/// How often it is tried to get a claim that nobody holds, and that a server refuses all the same:
/// because somebody asks for it at the same moment, or gives it up.
const TRIES: u32 = 5;

/// How a run begins: on which branch, and whether it is claimed at a remote before.
#[derive(Debug, clap::Args)]
pub(super) struct Beginning {
    /// Stay on the current branch
    #[arg(long)]
    pub(super) no_branch: bool,
    /// Claim the task at the remote first, so that no other clone begins the same
    #[arg(long)]
    claim: bool,
    /// The remote that claims are kept at
    #[arg(long, default_value = "origin", value_name = "REMOTE", requires = "claim")]
    remote: String,
    /// Take the claim over from whoever holds it, and why: once it is stale, or as one who directs the
    /// work
    #[arg(long, value_name = "REASON", requires = "claim")]
    take_over: Option<String>,
}

/// A claim as it stands at a remote.
pub(super) struct Found {
    /// Its commit.
    pub(super) oid: Oid,
    /// What it says; none if that can't be read.
    pub(super) claim: Option<TaskClaim>,
}

/// A claim that is yet to be had.
pub(super) struct Wanted<'d> {
    repository: &'d GitRepository,
    policy: &'d Policy,
    state: &'d State,
    remote: String,
    claim: TaskClaim,
    /// What stands there and is to be taken over.
    before: Option<Oid>,
    /// What of it goes on the record.
    pub(super) took_over: Option<TookOver>,
    at: Moment,
}

impl Beginning {
    /// Gives the claim that a run wants; none if none was asked for. Looks at the remote only where a
    /// claim is to be taken over, and refuses if the one there may not be.
    pub(super) fn wanted<'d>(
        &self,
        context: &Context,
        desk: &'d Desk,
        run: &Run,
    ) -> Result<Option<Wanted<'d>>, Stop> {
        if !self.claim {
            return Ok(None);
        }
        let author = desk.author(context)?;
        let claim = TaskClaim {
            task: desk.state().task.task_id.clone(),
            stage: run.stage.clone(),
            run_id: run.run_id.clone(),
            agent: author.actor,
            session: author.session,
            since: context.at(),
            token: format!("{:016x}", RandomState::new().build_hasher().finish()),
        };
        let mut wanted = Wanted {
            repository: &desk.view.repository,
            policy: desk.policy(),
            state: desk.state(),
            remote: self.remote.clone(),
            claim,
            before: None,
            took_over: None,
            at: context.at(),
        };
        if let Some(reason) = &self.take_over {
            wanted.take_over(reason)?;
        }
        Ok(Some(wanted))
    }

    /// Claims the task of a run that goes on already.
    pub(super) fn secure(
        &self,
        context: &Context,
        desk: &Desk,
        run: &Run,
        dry_run: bool,
    ) -> Result<(), Stop> {
        match self.wanted(context, desk, run)?.filter(|_| !dry_run) {
            Some(wanted) => wanted.take(),
            None => Ok(()),
        }
    }
}

impl Wanted<'_> {
    /// Plans to take over what stands at the remote, if that is somebody else's; refuses while it is
    /// not stale, but for those who direct the work.
    fn take_over(&mut self, reason: &str) -> Result<(), Stop> {
        let (repository, task) = (self.repository, &self.claim.task);
        let found = look(repository, &self.remote, task).map_err(or_without)?;
        let ours: Vec<Oid> = Note::read(repository, task).iter().map(|note| note.oid).collect();
        let others = |found: &Found| {
            !ours.contains(&found.oid) && !self.is_own(found, &ours) && !self.is_spent(found)
        };
        let Some(found) = found.filter(others) else { return Ok(()) };
        let Some(held) = found.claim else { return Err(self.unreadable()) };
        let stale = is_stale(self.policy, Some(self.state), &held, self.at);
        if !stale && !self.policy.directs(&self.claim.agent) {
            let ends = held.since.plus(limit(self.policy, Some(self.state), &held));
            let message = format!("{} and is not stale before {ends}", told(&held));
            let directs = self.policy.agents_who(|agent| agent.coordinator || agent.human);
            let names = directs.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" or ");
            let reference = TaskClaim::reference(&held.task);
            let help = format!(
                "wait for it; or ask {names}, who may take it over, or give it up: `git push {} \
                 --delete {reference}`",
                self.remote
            );
            return Err(Stop::denied(message, help));
        }
        self.before = Some(found.oid);
        self.took_over =
            Some(TookOver { agent: held.agent, since: held.since, reason: reason.to_owned() });
        Ok(())
    }

    /// Claims the task by one push; refuses, and has written nothing, if somebody else holds it. The
    /// claim that this clone holds for the same run is taken as it is, and one for another run is
    /// renewed.
    pub(super) fn take(&self) -> Result<(), Stop> {
        let Wanted { repository, remote, claim, .. } = self;
        let reference = TaskClaim::reference(&claim.task);
        let known = Note::read(repository, &claim.task);
        let mut ours: Vec<Oid> = known.iter().map(|note| note.oid).collect();
        let mut why = String::new();
        for _ in 0..TRIES {
            let there = look(repository, remote, &claim.task).map_err(or_without)?;
            let before = match there {
                Some(found) if self.is_own(&found, &ours) => {
                    self.note(found.oid)?;
                    say(format!("`{}` is claimed already, for this run", claim.task));
                    return Ok(());
                }
                Some(found)
                    if self.before == Some(found.oid)
                        || ours.contains(&found.oid)
                        || self.is_spent(&found) =>
                {
                    Some(found.oid)
                }
                Some(found) => {
                    Note::restore(repository, &claim.task, known)?;
                    return Err(self.held(found));
                }
                None if self.took_over.is_some() => return Err(self.given_up()),
                None => None,
            };
            let message = claim.message(self.took_over.as_ref());
            let own = repository.empty_commit(&message, before)?;
            // Noted first: whoever is cut off behind the push knows that the claim is theirs.
            self.note(own)?;
            ours.push(own);
            match repository.push_ref(remote, &reference, before, Some(own)).map_err(or_without)? {
                Pushed::Done => {
                    say(format!("claimed `{}` at {remote}", claim.task));
                    return Ok(());
                }
                Pushed::Refused(reason) => why = reason,
            }
        }
        Note::restore(repository, &claim.task, known)?;
        let message = format!("`{}` can't be claimed at `{remote}`: {why}", claim.task);
        let help = format!("see that it lets you push to {reference}, or begin without `--claim`");
        Err(Stop::fault(message, help))
    }

    fn note(&self, oid: Oid) -> Result<(), Fault> {
        let note = Note { oid, remote: self.remote.clone() };
        note.write(self.repository, &self.claim.task)
    }

    /// Tells whether what stands there is this clone's own claim for this very run. What another clone
    /// calls its context proves nothing: many machines call theirs the same.
    fn is_own(&self, found: &Found, ours: &[Oid]) -> bool {
        let same = |held: &TaskClaim| held.run_id == self.claim.run_id;
        ours.contains(&found.oid) && found.claim.as_ref().is_some_and(same)
    }

    /// Tells whether what stands there is for a run whose result is known here: it is nobody's any
    /// more. Whoever does not know the result yet is told who works on it.
    fn is_spent(&self, found: &Found) -> bool {
        found.claim.as_ref().is_some_and(|held| is_spent(self.state, held))
    }

    /// Gives it up again if what it was taken for was not written.
    pub(super) fn give_up(&self) {
        release(self.repository, &self.claim.task, Writing::default());
    }

    fn given_up(&self) -> Stop {
        let message = format!("the claim on `{}` was given up meanwhile", self.claim.task);
        Stop::denied(message, "say this again without `--take-over`")
    }

    fn held(&self, found: Found) -> Stop {
        let Some(held) = found.claim else { return self.unreadable() };
        let all = match self.remote.as_str() {
            "origin" => "orch run claims".to_owned(),
            remote => format!("orch run claims --remote {remote}"),
        };
        let help = match is_stale(self.policy, Some(self.state), &held, self.at) {
            true => "it is stale: say this again with `--take-over REASON`".to_owned(),
            false => format!("do something else: `orch next`; all claims: `{all}`"),
        };
        Stop::denied(told(&held), help)
    }

    fn unreadable(&self) -> Stop {
        let reference = TaskClaim::reference(&self.claim.task);
        let message = format!("{reference} is held at `{}` by what is no claim", self.remote);
        let help = format!(
            "ask whoever put it there; if it is nobody's: `git push {} --delete {reference}`",
            self.remote
        );
        Stop::denied(message, help)
    }
}

/// Tells who holds a task, and since when.
fn told(held: &TaskClaim) -> String {
    let TaskClaim { task, stage, agent, since, .. } = held;
    let session = held.session.as_ref().map(|session| format!(" (session {session})"));
    let session = session.unwrap_or_default();
    format!("`{task}` is claimed by {agent}{session} since {since}, for stage {stage}")
}

/// How long a claim holds before anyone may take it over: as long as its stage may take.
fn limit(policy: &Policy, state: Option<&State>, held: &TaskClaim) -> chrono::TimeDelta {
    let stage = state.and_then(|state| policy.stage(&state.task.workflow, &held.stage));
    stage.and_then(|stage| stage.timeout).unwrap_or(policy.escalation.stalled_after)
}

/// Tells whether a claim is older than its stage may take; one from the future is not.
pub(super) fn is_stale(
    policy: &Policy,
    state: Option<&State>,
    held: &TaskClaim,
    at: Moment,
) -> bool {
    at.since(held.since) > limit(policy, state, held)
}

/// Tells whether a claim is for a run that has delivered, or of a task that is closed.
pub(super) fn is_spent(state: &State, held: &TaskClaim) -> bool {
    let run = state.run(&held.run_id);
    let over =
        |run: &RunState| matches!(run.standing, RunStanding::Delivered | RunStanding::Overtaken);
    state.closed.is_some() || run.is_some_and(over)
}

/// Gives the claim on a task at a remote, if there is one.
fn look(repository: &GitRepository, remote: &str, task: &TaskId) -> Result<Option<Found>, Fault> {
    let found = find(repository, remote, Some(task))?;
    Ok(found.into_iter().next().map(|(_, found)| found))
}

/// Gives the claims at a remote, with what their refs are called behind the common part; those of one
/// task, if one is named.
pub(super) fn find(
    repository: &GitRepository,
    remote: &str,
    task: Option<&TaskId>,
) -> Result<Vec<(String, Found)>, Fault> {
    let prefix = task.map_or(CLAIMS.to_owned(), TaskClaim::reference);
    let mut tries_left = TRIES;
    let refs = loop {
        tries_left -= 1;
        let mut refs = repository.remote_refs(remote, &prefix)?;
        refs.retain(|(name, _)| task.is_none() || *name == prefix);
        let oids = refs.iter().map(|(_, oid)| *oid);
        let unknown: Vec<Oid> = oids.filter(|oid| repository.commit_meta(*oid).is_err()).collect();
        if unknown.is_empty() {
            break refs;
        }
        match repository.fetch_objects(remote, &unknown) {
            Ok(()) => break refs,
            // Since the look a claim may have been given up, and its commit with it.
            Err(fault) if tries_left == 0 => return Err(fault),
            Err(_) => {}
        }
    };
    let claims = refs.into_iter().map(|(name, oid)| {
        let name = name.strip_prefix(CLAIMS).unwrap_or(&name).to_owned();
        let claim = claim_at(repository, &name, oid);
        (name, Found { oid, claim })
    });
    Ok(claims.collect())
}

/// Says beside a fault that the run may begin without a claim, too.
fn or_without(fault: Fault) -> Fault {
    Fault::new(fault.message, format!("{}; or begin without `--claim`", fault.help))
}

/// Gives what a commit says as the claim of a task; none if it is no claim, or another task's.
pub(super) fn claim_at(repository: &GitRepository, task: &str, oid: Oid) -> Option<TaskClaim> {
    let meta = repository.commit_meta(oid).ok()?;
    TaskClaim::parse(&meta.message).filter(|claim| claim.task == *task)
}

/// Gives up the claim on a task if this clone holds one, unless nothing was to be written. That it
/// can't be given up now is no reason to refuse what was done.
pub(super) fn release(repository: &GitRepository, task: &TaskId, writing: Writing) {
    let note = Note::read(repository, task).filter(|_| !writing.dry_run);
    let Some(Note { oid, remote }) = note else { return };
    let reference = TaskClaim::reference(task);
    let kept = match repository.push_ref(&remote, &reference, Some(oid), None) {
        Ok(Pushed::Done) => {
            Note::remove(repository, task);
            say(format!("gave up the claim on `{task}` at {remote}"));
            return;
        }
        Ok(Pushed::Refused(why)) => match look(repository, &remote, task) {
            Ok(Some(found)) if found.oid == oid => why,
            Ok(other) => {
                Note::remove(repository, task);
                if let Some(held) = other.and_then(|found| found.claim) {
                    complain(format!("warning: {}; it was taken over", told(&held)));
                }
                return;
            }
            Err(fault) => fault.message,
        },
        Err(fault) => fault.message,
    };
    complain_lines(format!(
        "warning: the claim on `{task}` could not be given up: {kept}\n  later: git push {remote} \
         --delete {reference}"
    ));
}
