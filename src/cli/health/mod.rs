//! `orch health`: how things stand, part by part.

mod page;
mod probes;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View, readable_policy};
use super::hooks;
use super::output::{complain, json as print_json, say, table};
use super::run::near_or_all;
use super::trust::{agreed_elsewhere, disagreement};
use crate::ops::schedule::Timetable;
use crate::policy::{Policy, Probe, Thresholds};
use crate::render::Format;
use crate::report::{Health as Found, Measured, Probed, Status, health, spelled};
use crate::snapshot::{Fault, LastChange, Side};
use crate::source::{Moment, ProbeName, RepoPath};
use crate::world::{self, Focus};

/// How many reasons of one part a person is told at once.
const SHOWN: usize = 5;

/// Tell how things stand, part by part: what is wrong, and what to type.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks at what the ledgers say of the work (of open tasks, and of those opened since a month before \
                  the\nthresholds' windows), at this clone, and runs the policy's probes: `health` in \
                  .orch/policy.yaml; on a branch whose policy the protected one has not agreed on, none of\nthem, and what they look at is unknown.\nExit code 0 if all is healthy, 1 if something is degraded or failed, 2 if it \
                  could not look.\nExample: orch health --component audits --component deployments"
)]
pub(super) struct Health {
    /// A commit; by default what is staged
    rev: Option<String>,
    /// As of this moment, in RFC 3339; by default now
    #[arg(long, value_name = "MOMENT", value_parser = super::output::moment)]
    at: Option<Moment>,
    /// Everything that is known, as JSON: components, agents, providers and the portfolio
    #[arg(long)]
    raw: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
    /// Look at this part alone; may be given several times
    #[arg(long, value_name = "NAME")]
    component: Vec<String>,
    /// Don't run the policy's probes
    #[arg(long)]
    no_probes: bool,
    /// If something is wrong, send the alert that the policy's `health.page` names
    #[arg(long)]
    page: bool,
}

impl Health {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = self.looked_at(context)?;
        let policy = view.policy();
        let mut found = health(&view.world, &measure(&view)?);
        self.known(&policy, &found)?;
        let probes = self.probes(&policy);
        let mut probed = Vec::new();
        match agreed_elsewhere(&view)?.filter(|_| !probes.is_empty()) {
            None => probed = probes::run(view.repository.work_dir(), &probes)?,
            // What one's own programs look at stays unknown.
            Some(branch) => complain(disagreement(&branch)),
        }
        found.add_probes(&view.world, &probed);
        found.keep(&self.component);
        match self.raw || self.format == Format::Json {
            true => print_json(&as_json(&found, &probed)),
            false => tell(&found),
        }
        match found.status {
            Status::Healthy => return Ok(()),
            Status::Unknown => {
                let help = "leave out `--no-probes`, name other parts, or give probes their `command` in \
                            .orch/policy.yaml";
                return Err(Stop::fault("none of these parts was looked at", help));
            }
            Status::Degraded | Status::Failed => {}
        }
        page::page(context, &policy, &found, self.page)?;
        Err(Stop::Refused)
    }

    /// Looks at the open tasks, and at those that the thresholds' windows are about.
    fn looked_at(&self, context: &Context) -> Result<View, Stop> {
        let at = self.at.unwrap_or(context.at());
        if self.rev.is_some() || self.at.is_some() {
            return Ok(View::at(context, self.rev.as_deref(), at)?);
        }
        let repository = context.repository()?;
        let head = repository.head_commit()?.map_or(Side::Index, Side::Commit);
        let policy = readable_policy(&repository, head)?;
        let thresholds = policy.map(|policy| policy.health.thresholds).unwrap_or_default();
        Ok(View::focused(context, Focus::Since(since(&thresholds, at)))?)
    }

    /// Gives the probes to be run: those of the parts that were asked for.
    fn probes<'p>(&self, policy: &'p Policy) -> Vec<(&'p ProbeName, &'p Probe)> {
        let named = |probe: &Probe| {
            let named = self.component.is_empty() || self.component.contains(&probe.component);
            named && !probe.command.is_empty()
        };
        let all = policy.health.probes.iter().filter(|(_, probe)| named(probe));
        // A probe that asks for the health of all would start itself again, and again.
        let within = std::env::var_os(probes::WITHIN).is_some();
        all.filter(|_| !self.no_probes && !within).collect()
    }

    /// Refuses a part that there is not.
    fn known(&self, policy: &Policy, found: &Found) -> Result<(), Stop> {
        let parts = found.components.iter().map(|component| component.name.as_str());
        let mut all: Vec<&str> = parts.collect();
        for probe in policy.health.probes.values() {
            if !all.contains(&probe.component.as_str()) {
                all.push(&probe.component);
            }
        }
        let names = || all.iter().copied();
        match self.component.iter().find(|name| !names().any(|known| known == *name)) {
            None => Ok(()),
            Some(unknown) => {
                let message = format!("there is no component `{unknown}`");
                Err(Stop::fault(message, near_or_all(unknown, names)))
            }
        }
    }
}

/// Gives from when on tasks are looked at that are closed: a month before the longest window.
fn since(thresholds: &Thresholds, at: Moment) -> Moment {
    let Thresholds { response_window, audit_window, deployment_window, .. } = thresholds;
    let longest = response_window.0.max(audit_window.0).max(deployment_window.0);
    at.plus(-longest - chrono::TimeDelta::days(30))
}

/// Measures what the world does not say: by Git and on this machine.
fn measure(view: &View) -> Result<Measured, Fault> {
    let (repository, world) = (&view.repository, &view.world);
    let commits = std::env::var_os("CI").is_none_or(|said| said.is_empty());
    let mut documents: Vec<(RepoPath, LastChange)> = Vec::new();
    for document in &world.policy.health.documents {
        let head = match view.proposal.head {
            Side::Commit(oid) => Some(oid),
            Side::Index | Side::Nothing => repository.head_commit()?,
        };
        let change = match head {
            None => LastChange::Missing,
            Some(head) => {
                let since = view.world.at.plus(-document.max_age.0);
                repository.last_change(&document.path, head, since)?
            }
        };
        documents.push((document.path.clone(), change));
    }
    let timetable = Timetable::of(&world.policy.schedule);
    let windows = timetable.windows_at(world.at).into_iter();
    Ok(Measured {
        unreadable: world::unreadable(repository, view.proposal.head, world)?,
        stale: world::stale(repository, view.proposal.head, world)?,
        documents,
        hooks_missing: commits.then(|| hooks::missing(repository)),
        trading: timetable.calendar().map(|calendar| calendar.is_open_at(world.at)),
        windows: windows.map(|stretch| (stretch.window, stretch.until)).collect(),
    })
}

/// Prints every part, and below them what to do.
fn tell(found: &Found) {
    let heading = ["COMPONENT", "STATUS", "LOOKED AT"].map(str::to_owned).to_vec();
    let rows = found.components.iter().map(|component| {
        vec![component.name.clone(), spelled(&component.status), component.told.clone()]
    });
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    for component in &found.components {
        for reason in component.reasons.iter().take(SHOWN) {
            say(format!("{} {}: {}", component.name, spelled(&reason.status), reason.message));
            say(format!("    {}", reason.help));
        }
        let (name, more) = (&component.name, component.reasons.len().saturating_sub(SHOWN));
        if more > 0 {
            say(format!("{name}: and {more} more: orch health --raw --component {name}"));
        }
    }
    let unknown = found.components.iter().filter(|part| part.status == Status::Unknown).count();
    let unknown = match unknown {
        0 => String::new(),
        1 => ", of what was looked at; 1 part was not".to_owned(),
        unknown => format!(", of what was looked at; {unknown} parts were not"),
    };
    say(format!("all in all: {}{unknown}", spelled(&found.status)));
}

/// Gives everything that is known (R003-34): `providers` are the parts that one's own programs look at,
/// and `portfolio` is what the probes of the part of that name said.
fn as_json(found: &Found, probes: &[Probed]) -> Value {
    let mut providers: BTreeMap<&str, Vec<&Probed>> = BTreeMap::new();
    for probed in probes {
        providers.entry(&probed.component).or_default().push(probed);
    }
    json!({
        "version": 1,
        "at": found.at,
        "status": found.status,
        "components": found.components,
        "agents": found.agents,
        "providers": providers,
        "portfolio": providers.get("portfolio"),
    })
}
