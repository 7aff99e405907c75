//! `orch plan`: what may run now, what may run at once, and how long all of it takes.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View};
use super::elsewhere::ahead;
use super::output::{complain, json as print_json, say, show, table};
use super::phases::{at_least_one, known};
use crate::ledger::State;
use crate::plan::emit;
use crate::plan::{Item, Kind, Placed, Plan as Planned, Stands, Target, agenda, jobs, plan};
use crate::render::Format;
use crate::source::TaskId;

/// Tell what may run now, what may run at once, and how long all of it takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Two tasks whose scopes can touch the same path are never in one wave.\nExample: \
                        orch plan --phase implementation --groups 3"
)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) which: Which,
    /// How many tasks may run at once; by default as many as the policy's `dispatch` says, else
    /// as limits and scopes allow
    #[arg(long, value_name = "N", visible_alias = "parallel-groups", value_parser = at_least_one)]
    groups: Option<usize>,
    /// Write what may run now for another scheduler
    #[arg(long, value_name = "FORM", conflicts_with = "format")]
    emit: Option<Scheduler>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// The schedulers that plans are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scheduler {
    /// One matrix of a GitHub Actions job
    GithubMatrix,
    /// A whole GitHub Actions workflow
    GithubWorkflow,
    /// AgentRun resources of a Kubernetes cluster
    Agentrun,
    /// An Argo Workflow
    Argo,
}

/// Which of the open tasks are planned.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Which {
    /// Only the tasks of this phase
    #[arg(long)]
    phase: Option<String>,
    /// Only the tasks of this week
    #[arg(long)]
    week: Option<u32>,
}

impl Which {
    /// Refuses a phase or a week that nobody has named.
    pub(super) fn known(&self, context: &Context, view: &View) -> Result<(), Stop> {
        known(context, view, self.phase.as_deref(), self.week)
    }

    /// Tells whether a task is asked for.
    pub(super) fn takes(&self, item: &Item) -> bool {
        let task = &item.task;
        (self.phase.is_none() || self.phase == task.phase)
            && (self.week.is_none() || self.week == task.week)
    }
}

/// Gives the open tasks that are asked for, as they stand here or further on elsewhere.
pub(super) fn items(context: &Context, view: &View, which: &Which) -> Result<Vec<Item>, Stop> {
    let elsewhere: BTreeMap<TaskId, State> =
        ahead(context, view, None)?.into_iter().map(|(id, ahead)| (id, ahead.state)).collect();
    let mut items = agenda(&view.world, &elsewhere);
    items.retain(|item| which.takes(item));
    Ok(items)
}

impl Plan {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, false)?;
        self.which.known(context, &view)?;
        let items = items(context, &view, &self.which)?;
        let at_once = self.groups.or(view.world.policy.fleet.parallel).unwrap_or(usize::MAX);
        let planned = plan(&view.world.policy, &items, at_once);
        if let Some(scheduler) = self.emit {
            return self.emit(&view, planned, scheduler, context);
        }
        match self.format {
            Format::Json => print_json(&as_json(&planned)),
            Format::Human if items.is_empty() => say(
                "nothing is to be planned; open a task: orch task open ID --workflow NAME --title TEXT",
            ),
            Format::Human => tell(&planned),
        }
        Ok(())
    }

    fn emit(
        &self,
        view: &View,
        mut planned: Planned<'_>,
        scheduler: Scheduler,
        context: &Context,
    ) -> Result<(), Stop> {
        let later: usize = planned.waves.iter().skip(1).map(|wave| wave.tasks.len()).sum();
        // What comes later begins from what is merged by then, which no scheduler does by itself.
        planned.waves.truncate(1);
        let policy = view.policy();
        let base = view.repository.current_branch()?.ok_or_else(|| {
            Stop::fault("no branch is checked out that work could go to", "`git switch main`")
        })?;
        let target = Target {
            repository: super::export::repository_name(view),
            base,
            head: None,
            project: policy.project.clone(),
            implementation_spec: policy.implementation_spec.clone(),
            max_parallel: self.groups,
        };
        let later: usize = later + planned.held.len();
        if later > 0 {
            let wait = if later == 1 { "task waits" } else { "tasks wait" };
            complain(format!(
                "note: {later} more {wait}; write the plan again once these are gated and merged"
            ));
        }
        let jobs = jobs(&view.world, &planned, context.at());
        let written = match scheduler {
            Scheduler::GithubMatrix => emit::github_matrix(&jobs, &target),
            Scheduler::GithubWorkflow => emit::github_workflow(&jobs, &target),
            Scheduler::Agentrun => emit::agentrun(&jobs, &target),
            Scheduler::Argo => emit::argo(&jobs, &target),
        };
        show(written.map_err(|unfit| Stop::fault(unfit.message, unfit.help))?);
        Ok(())
    }
}

/// Prints a plan, wave by wave.
pub(super) fn tell(planned: &Planned<'_>) {
    let all = planned.waves.iter().flat_map(|wave| &wave.tasks);
    let widths = Widths::of(all);
    for (number, wave) in planned.waves.iter().enumerate() {
        let when = if number == 0 { "now".to_owned() } else { format!("wave {}", number + 1) };
        let at_once = match wave.tasks.len() {
            1 => String::new(),
            count => format!(", {count} at once"),
        };
        say(format!("{when}{at_once}"));
        for kind in [Kind::Independent, Kind::DomainSpecific, Kind::Sequential] {
            let placed: Vec<&Placed<'_>> =
                wave.tasks.iter().filter(|placed| placed.kind == kind).collect();
            if !placed.is_empty() {
                say(format!("  {}", words(kind)));
            }
            placed.into_iter().for_each(|placed| say(widths.line(placed)));
        }
    }
    if !planned.held.is_empty() {
        say("held");
        let rows = planned
            .held
            .iter()
            .map(|item| vec![format!("    {}", item.task.task_id), why_held(item)]);
        table(&rows.collect::<Vec<_>>());
    }
    if planned.critical_path.len() > 1 {
        let path: Vec<&str> = planned.critical_path.iter().map(|id| id.as_str()).collect();
        say(format!("critical path: {}", path.join(" -> ")));
    }
    if planned.as_planned > TimeDelta::zero() {
        say(format!(
            "expected: {} one by one, {} as planned, {:.1} times as fast",
            lasting(planned.one_by_one),
            lasting(planned.as_planned),
            speedup(planned)
        ));
    }
}

/// Gives how many times as fast as one by one a plan is expected to be.
fn speedup(planned: &Planned<'_>) -> f64 {
    planned.one_by_one.as_seconds_f64() / planned.as_planned.as_seconds_f64().max(1e-3)
}

/// What stands in the way of a task, in a line.
pub(super) fn why_held(item: &Item) -> String {
    match &item.stands {
        Stands::Held(obstacles) => {
            let told = obstacles.iter().map(|o| format!("{}: {}", o.check, o.message));
            told.collect::<Vec<_>>().join("; ")
        }
        _ => {
            let phase = if item.behind.is_empty() { "" } else { "an earlier phase: " };
            let names = item.waits_for.iter().chain(&item.behind).map(|id| id.as_str());
            format!("waits for {phase}{}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Independent => "independent",
        Kind::DomainSpecific => "domain_specific",
        Kind::Sequential => "sequential",
    }
}

/// How wide the columns of a plan are, over all its waves.
struct Widths {
    id: usize,
    title: usize,
    stage: usize,
}

impl Widths {
    fn of<'p, 'i: 'p>(all: impl Iterator<Item = &'p Placed<'i>>) -> Self {
        let none = Widths { id: 0, title: 0, stage: 0 };
        all.fold(none, |widths, placed| Widths {
            id: widths.id.max(placed.item.task.task_id.as_str().chars().count()),
            title: widths.title.max(placed.item.task.title.chars().count()).min(40),
            stage: widths.stage.max(stage(placed.item).chars().count()),
        })
    }

    fn line(&self, placed: &Placed<'_>) -> String {
        let item = placed.item;
        let title: String = item.task.title.chars().take(40).collect();
        let agent = placed.agent.as_ref().map_or("-", |agent| agent.as_str());
        let stands = match item.stands {
            Stands::Running => "  runs",
            Stands::Delivered => "  waits for its gate",
            Stands::Finished => "  to be closed",
            _ => "",
        };
        let because = placed.because.iter().map(|refusal| format!("  ({refusal})"));
        format!(
            "    {:id$}  {title:title_width$}  {:stage$}  {agent}{stands}{}",
            item.task.task_id.as_str(),
            self::stage(item),
            because.collect::<String>(),
            id = self.id,
            title_width = self.title,
            stage = self.stage,
        )
    }
}

fn stage(item: &Item) -> &str {
    item.stage.as_ref().map_or("-", |stage| stage.as_str())
}

/// A time in the largest units that say it.
pub(super) fn lasting(time: TimeDelta) -> String {
    let (hours, minutes, seconds) = (time.num_hours(), time.num_minutes(), time.num_seconds());
    match (hours, minutes, seconds) {
        (0, 0, _) => format!("{:.1} s", time.as_seconds_f64()),
        (0, ..) => format!("{minutes} min"),
        _ if minutes % 60 == 0 => format!("{hours} h"),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

fn as_json(planned: &Planned<'_>) -> Value {
    let waves = planned.waves.iter().map(|wave| {
        let tasks = wave.tasks.iter().map(|placed| {
            let item = placed.item;
            json!({
                "task_id": item.task.task_id,
                "title": item.task.title,
                "priority": item.task.priority,
                "workflow": item.task.workflow,
                "stage": item.stage,
                "lane": item.lane,
                "agent": placed.agent,
                "group": item.group,
                "kind": placed.kind,
                "stands": stands(item),
                "depends_on": item.task.depends_on,
                "because": placed.because.as_ref().map(ToString::to_string),
                "expected_seconds": item.expected.num_seconds(),
            })
        });
        tasks.collect::<Vec<_>>()
    });
    let held = planned.held.iter().map(|item| {
        json!({
            "task_id": item.task.task_id,
            "stage": item.stage,
            "stands": stands(item),
            "waits_for": item.waits_for,
            "behind": item.behind,
            "why": why_held(item),
        })
    });
    json!({
        "waves": waves.collect::<Vec<_>>(),
        "held": held.collect::<Vec<_>>(),
        "critical_path": planned.critical_path,
        "expected": {
            "one_by_one_seconds": planned.one_by_one.num_seconds(),
            "as_planned_seconds": planned.as_planned.num_seconds(),
            "speedup": (speedup(planned) * 100.0).round() / 100.0,
        },
    })
}

fn stands(item: &Item) -> &'static str {
    match item.stands {
        Stands::Ready => "ready",
        Stands::Running => "running",
        Stands::Delivered => "delivered",
        Stands::Finished => "finished",
        Stands::Waits => "waits",
        Stands::Held(_) => "held",
    }
}
