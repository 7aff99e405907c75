//! `orch halt` and `orch unhalt`: the kill switch, and a person's word that it may be released.

use std::collections::BTreeMap;

use super::Stop;
use super::context::{Context, View};
use super::incident::unknown_incident;
use super::ledger::{Writer, Writing, Written, free_id};
use super::lock::Lock;
use super::output::{id, moment, say, say_lines};
use super::task::word;
use crate::calendar::Zone;
use crate::draft::{self, Author};
use crate::policy::Policy;
use crate::record::kind::{self, HaltTopic, Incident, Resume};
use crate::record::{Home, Payload, did_you_mean, snapshot_path};
use crate::snapshot::{Repository as _, Side};
use crate::source::{Digest, Moment, RepoPath, TaskId};
use crate::world::{Focus, StandingHalt};

/// The procedure, or class, of the incidents that halts open.
const KILL_SWITCH: &str = "kill_switch";

/// Pull the kill switch: nothing passes in its scope until a person lifts it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes the halt, a snapshot of everything in its scope and, unless \
                        --incident or --until is given,\nthe incident that looks into it. Anyone \
                        may halt.\nExample: orch halt --topic risk.kill_switch --scope all \
                        --reason 'Drawdown over limit' --metrics drawdown=0.31")]
pub(super) struct Halt {
    /// risk.kill_switch, compliance.kill_switch or runtime.kill_switch
    #[arg(long, value_parser = word::<HaltTopic>)]
    topic: HaltTopic,
    /// all, or workflow:NAME, lane:NAME, stage:NAME, task:ID, schedule:JOB, schedule:*
    #[arg(long)]
    scope: String,
    /// Why
    #[arg(long)]
    reason: String,
    /// A number behind it; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = metric)]
    metrics: Vec<(String, String)>,
    /// When it ends by itself, in RFC 3339; `end-of-day` is midnight in the schedule's time zone
    #[arg(long, value_name = "MOMENT", value_parser = until)]
    until: Option<Until>,
    /// The incident that looks into it, if there is one already
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    incident: Option<TaskId>,
    /// What to call it; by default the topic's first word and the moment
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    id: Option<TaskId>,
    #[command(flatten)]
    writing: Writing,
}

/// Lift a halt, with a person's sign-off.
#[derive(Debug, clap::Args)]
#[command(after_help = "It lifts nothing until it has landed.\nExample: orch unhalt \
                        risk-20261121-143000 --sign-off 'Positions are flat' --agent founder")]
pub(super) struct Unhalt {
    /// The halt
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Your statement
    #[arg(long, value_name = "STATEMENT")]
    sign_off: String,
    /// The incident that looked into it; by default the halt's own
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    incident: Option<TaskId>,
    #[command(flatten)]
    writing: Writing,
}

/// When a halt ends by itself.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// When the day is over.
    EndOfDay,
    /// Then.
    Moment(Moment),
}

fn until(text: &str) -> Result<Until, String> {
    match text {
        "end-of-day" => Ok(Until::EndOfDay),
        _ => moment(text)
            .map(Until::Moment)
            .map_err(|fault| format!("write `end-of-day`, or a moment: {fault}")),
    }
}

impl Until {
    /// Gives the moment, for a halt that is pulled at `at`.
    fn from(self, policy: &Policy, at: Moment) -> Option<Moment> {
        match self {
            Until::Moment(moment) => Some(moment),
            Until::EndOfDay => {
                let zone = policy.schedule.time_zone.clone();
                zone.unwrap_or_else(Zone::utc).end_of_day(at)
            }
        }
    }
}

fn metric(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.trim().is_empty() || value.trim().is_empty() {
        return Err("write NAME=VALUE".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

impl Halt {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let task = self.scope.strip_prefix("task:").and_then(|id| id.parse::<TaskId>().ok());
        let focus = match &task {
            Some(task) => Focus::Tasks(vec![task.clone()]),
            None => Focus::Open,
        };
        let view = View::beside(context, repository, focus)?;
        let policy = view.policy();
        let author = context.author(&policy, view.proposal.branch.clone())?;
        let until = self.until.and_then(|until| until.from(&policy, author.at));
        if let Some(known) = self.known(&view, author.at, until) {
            say(format!("halt {} stands already, for {}", known.id, known.scope));
            return Ok(());
        }
        if let Some(task) = &task {
            view.task(task)?;
        }
        if until.is_some_and(|until| until <= author.at) {
            let help = "name a later one, in RFC 3339, or leave it out";
            return Err(Stop::fault("`--until` names a moment that is over", help));
        }
        if let Some(incident) = self.incident.as_ref().filter(|id| !is_incident(&view, id)) {
            return Err(unknown_incident(&view, incident));
        }
        let id = self.own_id(&view, author.at)?;
        let opened = (self.incident.is_none() && self.until.is_none())
            .then(|| -> Result<_, Stop> {
                let incident: TaskId = format!("inc-{id}").parse().map_err(|fault| {
                    Stop::fault(format!("inc-{id}: {fault}"), "choose a shorter `--id`")
                })?;
                Ok((incident, self.incident_of(&policy, task.iter())))
            })
            .transpose()?;
        let text = draft::snapshot(&view.world, &self.standing(&id, until), view.head());
        let halt = kind::Halt {
            topic: self.topic,
            scope: self.scope.clone(),
            reason: self.reason.clone(),
            metrics: self.metrics.iter().cloned().collect::<BTreeMap<_, _>>(),
            snapshot: Some(Digest::of(text.as_bytes())),
            incident: opened.as_ref().map(|(id, _)| id.clone()).or(self.incident.clone()),
            until,
        };
        self.write(context, &view, author, (id, halt, text), opened)
    }

    fn write(
        &self,
        context: &Context,
        view: &View,
        author: Author,
        (id, halt, text): (TaskId, kind::Halt, String),
        opened: Option<(TaskId, Incident)>,
    ) -> Result<(), Stop> {
        let (incident, until) = (halt.incident.clone(), halt.until);
        let mut writer = Writer::new(context, view, author);
        if let Some((id, incident)) = opened {
            writer.add(&Home::Incident(id), incident)?;
        }
        writer.with_companion(snapshot_path(&id), text);
        writer.add(&Home::Halt(id.clone()), halt)?;
        let written = writer.commit(self.writing)?;
        if written.is_foreseen() {
            return Ok(());
        }
        say(format!("halted {}, on this branch at once", self.scope));
        let policy = view.policy();
        let branch = view.proposal.branch.as_deref();
        match branch.filter(|branch| policy.is_protected(branch)) {
            Some(branch) if written == Written::Elsewhere => say(format!(
                "next: git switch -c orch/{id}, git commit, then have it merged into `{branch}`: it stands \
                 for everyone who fetches that"
            )),
            Some(branch) => say(format!(
                "next: git commit, then push `{branch}`: it stands for everyone who fetches that"
            )),
            None => say(
                "next: git commit, then merge and push this to a protected branch: it stands for \
                 everyone who fetches that",
            ),
        }
        if let Some(incident) = &incident {
            say(format!("incident {incident} looks into it: orch incident show {incident}"));
        }
        let end = until.map(|until| format!("it ends by itself at {until}; before that, "));
        say(format!(
            "{}a person lifts it: orch unhalt {id} --sign-off STATEMENT",
            end.unwrap_or_default()
        ));
        Ok(())
    }

    /// Gives the halt that says the same and stands at least as long.
    fn known<'v>(
        &self,
        view: &'v View,
        at: Moment,
        until: Option<Moment>,
    ) -> Option<&'v StandingHalt> {
        view.world.survey.halts.iter().find(|halt| {
            let said = (halt.topic, &halt.scope, &halt.reason);
            let as_long = match (halt.until, until) {
                (None, _) => true,
                (Some(known), Some(asked)) => asked <= known,
                (Some(_), None) => false,
            };
            let same = said == (Some(self.topic), &self.scope, &self.reason);
            same && as_long && halt.stands_at(at)
        })
    }

    fn own_id(&self, view: &View, at: Moment) -> Result<TaskId, Stop> {
        let topic = match self.topic {
            HaltTopic::Risk => "risk",
            HaltTopic::Compliance => "compliance",
            HaltTopic::Runtime => "runtime",
        };
        let known = view.repository.folders(Side::Index, &RepoPath::from(".orch/halts"))?;
        let taken = |id: &TaskId| known.iter().any(|known| known.eq_ignore_ascii_case(id.as_str()));
        match &self.id {
            None => free_id(&format!("{topic}-{}", draft::stamp(at)), taken),
            Some(id) if taken(id) => {
                let help = "choose another with `--id`";
                Err(Stop::denied(format!("there is a halt `{id}` already"), help))
            }
            Some(id) => Ok(id.clone()),
        }
    }

    fn incident_of<'t>(
        &self,
        policy: &Policy,
        tasks: impl Iterator<Item = &'t TaskId>,
    ) -> Incident {
        Incident {
            class: KILL_SWITCH.into(),
            severity: "critical".into(),
            tasks: tasks.cloned().collect(),
            ..draft::incident(policy, Some(KILL_SWITCH), self.reason.clone())
        }
    }

    /// The halt as it will stand, to ask what it is about.
    fn standing(&self, id: &TaskId, until: Option<Moment>) -> StandingHalt {
        StandingHalt {
            path: RepoPath::from(".orch/halts").join(id.as_str()).join("0001-halt.yaml"),
            id: id.clone(),
            scope: self.scope.clone(),
            topic: Some(self.topic),
            reason: self.reason.clone(),
            since: None,
            until,
            incident: None,
        }
    }
}

/// Tells whether an incident is on the record, open or closed.
fn is_incident(view: &View, id: &TaskId) -> bool {
    view.world.survey.known_incidents.contains(id)
}

impl Unhalt {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let repository = context.repository()?;
        let _lock = Lock::take(&repository)?;
        let home = Home::Halt(self.id.clone());
        let view = View::beside(context, repository, Focus::Ledgers(vec![home.clone()]))?;
        let Some(ledger) = view.world.ledgers.get(&home).filter(|l| !l.records.is_empty()) else {
            return Err(self.unknown(&view)?);
        };
        if matches!(ledger.records.last().map(|last| &last.payload), Some(Payload::Resume(_))) {
            say(format!("halt {} is lifted already", self.id));
            return Ok(());
        }
        let own = ledger.records.first().and_then(|record| match &record.payload {
            Payload::Halt(halt) => halt.incident.clone(),
            _ => None,
        });
        let author = context.author(&view.policy(), view.proposal.branch.clone())?;
        let incident = self.incident.or(own);
        let approver = author.actor.clone();
        let mut writer = Writer::new(context, &view, author);
        writer.add(&home, Resume { approver, sign_off: self.sign_off, incident })?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        say_lines(format!("halt {} is lifted once this has landed\nnext: git commit", self.id));
        Ok(())
    }

    /// Why there is nothing to lift here: nobody knows it, or it stands elsewhere, or can't be read.
    fn unknown(&self, view: &View) -> Result<Stop, Stop> {
        let standing = &view.world.survey.halts;
        if standing.iter().any(|halt| halt.id == self.id) {
            let help = format!(
                "merge the branch that has it; or mend its file, and have a person decide on that: \
                 `orch decide --changes .orch/halts/{}/0001-halt.yaml`; then lift it",
                self.id
            );
            let message = format!("halt `{}` stands, but no halt can be read here", self.id);
            return Ok(Stop::fault(message, help));
        }
        let shelf = RepoPath::from(".orch/halts");
        let mut known = view.repository.folders(Side::Index, &shelf)?;
        known.extend(standing.iter().map(|halt| halt.id.to_string()));
        let help = match did_you_mean(self.id.as_str(), known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`orch status` shows what stands".to_owned(),
        };
        Ok(Stop::fault(format!("there is no halt `{}`", self.id), help))
    }
}
