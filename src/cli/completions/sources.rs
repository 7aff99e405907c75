//! What could stand where: by the type of an argument, or by its place where the type does not tell.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde::de::DeserializeOwned;

use super::super::Who;
use super::super::context::{Context, View};
use super::super::schema::SCHEMAS;
use super::super::task::word;
use super::super::templates::TEMPLATES;
use crate::checks;
use crate::exchange::Form;
use crate::ledger::State;
use crate::policy::AlertSeverity;
use crate::record::{Home, Payload, kind};
use crate::render::{Format, MeasuresFormat, ReportFormat};
use crate::source::{AgentName, ArtifactName, JobName, RepoPath, StageName, TaskId, WorkflowName};

/// A word that could be typed, and what it is.
type Offer = (String, Option<String>);
/// Gives what there is, as far as that can be told; `None` where nothing can.
type Source = fn(&str) -> Option<Vec<Offer>>;

/// More than these help nobody to choose.
const MOST: usize = 400;

/// Says for every argument of a command, and of those below it, what could be typed there.
pub(super) fn attach(command: Command, above: &str) -> Command {
    let place = format!("{above} {}", command.get_name()).trim_start().to_owned();
    let command = command.mut_args(|arg| match source(&place, &arg) {
        Some(source) => arg.add(ArgValueCompleter::new(move |typed: &OsStr| offers(source, typed))),
        None if is_file(&arg) => arg.value_hint(ValueHint::AnyPath),
        None => arg,
    });
    command.mut_subcommands(|below| attach(below, &place))
}

fn offers(source: Source, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let found = source(&typed).unwrap_or_default().into_iter();
    let found = found.filter(|(word, _)| word.starts_with(&*typed) && is_inert(word));
    let found = found.take(MOST).enumerate();
    let candidate = |(number, (word, about)): (usize, Offer)| {
        let about = about.map(|about| crate::render::one_line(&about).into());
        CompletionCandidate::new(word).help(about).display_order(Some(number))
    };
    found.map(candidate).collect()
}

/// Tells whether a shell takes a word as it is. Some put it on the line unquoted, and whoever names a branch
/// must not have a command run there.
fn is_inert(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() || "._-/:@+=,%*".contains(c))
}

fn is_file(arg: &Arg) -> bool {
    let named = arg.get_value_names().unwrap_or_default();
    is::<RepoPath>(arg) || named.iter().any(|name| ["FILE", "PATH", "DIR"].contains(&name.as_str()))
}

fn is<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<T>()
}

/// Gives what an argument takes, by its place and then by its type.
fn source(place: &str, arg: &Arg) -> Option<Source> {
    let of_incident = place.starts_with("orch incident") || place.starts_with("orch procedure");
    Some(match (place, arg.get_id().as_str()) {
        // A new one's id is whatever its maker likes.
        ("orch task open" | "orch incident open" | "orch halt", "id") => return None,
        ("orch", "agent") => agents,
        ("orch explain", "check") => |_| Some(checks()),
        ("orch schema", "name") => |_| Some(schemas()),
        ("orch init", "template") => |_| Some(templates()),
        ("orch log", "kind") => |_| Some(bare(Payload::WORDS.iter().copied())),
        ("orch log", "task") => {
            |typed| Some([tasks(typed)?, incidents(typed)?, halts(typed)?].concat())
        }
        ("orch handoff verify", "of") => tasks,
        ("orch halt", "scope") => scopes,
        ("orch unhalt", "id") => halts,
        ("orch procedure show" | "orch procedure start", "name")
        | ("orch incident open", "procedure") => procedures,
        (_, "id") if of_incident => incidents,
        (_, "incident") => incidents,
        (_, "rev" | "base" | "head" | "anchor" | "branch") => branches,
        _ => return typed(arg),
    })
}

/// Gives what an argument takes, by its type.
fn typed(arg: &Arg) -> Option<Source> {
    let of_policy: [(TypeId, Source); 6] = [
        (TypeId::of::<TaskId>(), tasks),
        (TypeId::of::<AgentName>(), agents),
        (TypeId::of::<StageName>(), stages),
        (TypeId::of::<WorkflowName>(), workflows),
        (TypeId::of::<JobName>(), jobs),
        (TypeId::of::<ArtifactName>(), artifacts),
    ];
    let of_orch: [(TypeId, Source); 5] = [
        (TypeId::of::<Form>(), |_| Some(bare(Form::words()))),
        (TypeId::of::<Format>(), |_| Some(bare(Format::ALL.iter().map(|(word, _)| *word)))),
        (TypeId::of::<ReportFormat>(), |_| {
            Some(bare(ReportFormat::ALL.iter().map(|(word, _)| *word)))
        }),
        (TypeId::of::<MeasuresFormat>(), |_| {
            Some(bare(MeasuresFormat::ALL.iter().map(|(word, _)| *word)))
        }),
        (TypeId::of::<AlertSeverity>(), words::<AlertSeverity>),
    ];
    let spelled: [(TypeId, Source); 13] = [
        (TypeId::of::<kind::AssignmentReason>(), words::<kind::AssignmentReason>),
        (TypeId::of::<kind::FailureClass>(), words::<kind::FailureClass>),
        (TypeId::of::<kind::Finding>(), words::<kind::Finding>),
        (TypeId::of::<kind::HaltTopic>(), words::<kind::HaltTopic>),
        (TypeId::of::<kind::HandoffStatus>(), words::<kind::HandoffStatus>),
        (TypeId::of::<kind::MessageStatus>(), words::<kind::MessageStatus>),
        (TypeId::of::<kind::MessageType>(), words::<kind::MessageType>),
        (TypeId::of::<kind::Outcome>(), words::<kind::Outcome>),
        (TypeId::of::<kind::Priority>(), words::<kind::Priority>),
        (TypeId::of::<kind::RejectionReason>(), words::<kind::RejectionReason>),
        (TypeId::of::<kind::RunStatus>(), words::<kind::RunStatus>),
        (TypeId::of::<kind::Urgency>(), words::<kind::Urgency>),
        (TypeId::of::<kind::Verdict>(), words::<kind::Verdict>),
    ];
    let mut known = of_policy.into_iter().chain(of_orch).chain(spelled);
    let own = arg.get_value_parser().type_id();
    known.find(|(of, _)| own == *of).map(|(_, source)| source)
}

fn bare<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Offer> {
    words.into_iter().map(|word| (word.to_owned(), None)).collect()
}

/// Gives the words that records spell a type with: what its parser says that it expects.
fn words<T: DeserializeOwned>(_typed: &str) -> Option<Vec<Offer>> {
    let expected = word::<T>("").err()?;
    let words = expected.split('`').skip(3).step_by(2).filter(|text| word::<T>(text).is_ok());
    Some(bare(words))
}

fn checks() -> Vec<Offer> {
    checks::ALL.iter().map(|check| (check.name.to_owned(), Some(check.title.to_owned()))).collect()
}

fn schemas() -> Vec<Offer> {
    bare(SCHEMAS.iter().map(|(name, _)| *name))
}

fn templates() -> Vec<Offer> {
    TEMPLATES.iter().map(|(name, what, _)| ((*name).to_owned(), Some((*what).to_owned()))).collect()
}

/// Whoever completes a word acts for nobody.
fn context() -> Context {
    Context::of_process(Who { agent: None, session: None }, false)
}

/// Gives the repository as it is staged, if there is one that can be read.
fn view() -> Option<View> {
    View::quietly(&context()).ok()
}

/// Gives the open tasks, and behind them those that have ended.
fn tasks(_typed: &str) -> Option<Vec<Offer>> {
    let view = view()?;
    let world = &view.world;
    let read = world.ledgers.iter().filter(|(home, _)| matches!(home, Home::Task(_)));
    let states = || read.clone().filter_map(|(_, ledger)| ledger.state());
    let staged = states().filter(|state| state.closed.is_none());
    let mut known = BTreeSet::new();
    let mut found: Vec<Offer> = staged.map(titled).collect();
    known.extend(found.iter().map(|(id, _)| id.clone()));
    let ended: BTreeSet<&str> = states()
        .filter(|state| state.closed.is_some())
        .map(|state| state.task.task_id.as_str())
        .collect();
    let open = world.survey.open.iter().map(TaskId::as_str).filter(|id| !ended.contains(id));
    let all = world.survey.folders.names().rev();
    for id in open.chain(all).chain(ended.iter().copied()) {
        if known.insert(id.to_owned()) {
            found.push((id.to_owned(), None));
        }
    }
    Some(found)
}

fn titled(state: &State) -> Offer {
    (state.task.task_id.to_string(), Some(state.task.title.clone()))
}

/// Gives the open incidents, and behind them those that are closed.
fn incidents(_typed: &str) -> Option<Vec<Offer>> {
    let survey = &view()?.world.survey;
    let open: Vec<Offer> = survey
        .incidents
        .iter()
        .map(|incident| (incident.id.to_string(), Some("open".to_owned())))
        .collect();
    let is_open = |id: &str| open.iter().any(|(known, _)| known == id);
    let closed = survey.known_incidents.iter().map(TaskId::as_str).filter(|id| !is_open(id));
    Some([open.clone(), bare(closed)].concat())
}

/// Gives the halts that stand.
fn halts(_typed: &str) -> Option<Vec<Offer>> {
    let view = view()?;
    let halts = view.world.survey.halts.iter();
    Some(halts.map(|halt| (halt.id.to_string(), Some(halt.reason.clone()))).collect())
}

fn agents(_typed: &str) -> Option<Vec<Offer>> {
    let policy = view()?.policy();
    let about = |agent: &crate::policy::Agent| match (agent.human, agent.lanes.is_empty()) {
        (true, _) => Some("a person".to_owned()),
        (false, true) => None,
        (false, false) => {
            let lanes: Vec<&str> = agent.lanes.iter().map(|lane| lane.as_str()).collect();
            Some(format!("lane {}", lanes.join(", ")))
        }
    };
    Some(policy.agents.iter().map(|(name, agent)| (name.to_string(), about(agent))).collect())
}

fn stages(_typed: &str) -> Option<Vec<Offer>> {
    let policy = view()?.policy();
    let mut known = BTreeSet::new();
    let stages = policy.workflows.iter().flat_map(|(workflow, known)| {
        known.stages.iter().map(move |stage| (stage.name.to_string(), workflow))
    });
    let stages = stages.filter(|(stage, _)| known.insert(stage.clone()));
    Some(stages.map(|(stage, workflow)| (stage, Some(format!("of {workflow}")))).collect())
}

fn workflows(_typed: &str) -> Option<Vec<Offer>> {
    Some(bare(view()?.policy().workflows.keys().map(WorkflowName::as_str)))
}

/// Gives what stages make, as their workflows call it.
fn artifacts(_typed: &str) -> Option<Vec<Offer>> {
    let policy = view()?.policy();
    let stages = policy.workflows.values().flat_map(|workflow| &workflow.stages);
    let names: BTreeSet<&str> =
        stages.flat_map(|stage| stage.produces.keys()).map(ArtifactName::as_str).collect();
    Some(bare(names))
}

fn procedures(_typed: &str) -> Option<Vec<Offer>> {
    Some(bare(view()?.policy().procedures.keys().map(String::as_str)))
}

fn jobs(_typed: &str) -> Option<Vec<Offer>> {
    Some(bare(view()?.policy().schedule.jobs.keys().map(JobName::as_str)))
}

/// Gives what a halt may stop.
fn scopes(typed: &str) -> Option<Vec<Offer>> {
    let policy = view()?.policy();
    let named = |of: &str, found: Vec<Offer>| -> Vec<Offer> {
        found.into_iter().map(|(name, about)| (format!("{of}:{name}"), about)).collect()
    };
    let lanes = policy.lanes.iter();
    let lanes = lanes.map(|(name, lane)| (name.to_string(), Some(lane.title.clone()))).collect();
    let open = match typed.starts_with("task:") {
        true => tasks(typed)?,
        false => Vec::new(),
    };
    Some(
        [
            bare(["all"]),
            named("workflow", workflows(typed)?),
            named("lane", lanes),
            named("stage", stages(typed)?),
            named("task", open),
            named("schedule", jobs(typed)?),
        ]
        .concat(),
    )
}

/// Gives the branches, those of this clone first.
fn branches(_typed: &str) -> Option<Vec<Offer>> {
    let mut branches = context().repository().ok()?.branches().ok()?;
    branches.sort_by(|a, b| (a.remote, &a.name).cmp(&(b.remote, &b.name)));
    Some(bare(branches.iter().map(|branch| branch.name.as_str())))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::PathBuf;
    use std::time::Duration;

    use clap::CommandFactory as _;

    use super::*;
    use crate::calendar::Date;
    use crate::cli::Arguments;
    use crate::source::Moment;

    /// Collects the types of arguments that are names or words and that nothing is offered for: parsers tell no
    /// more of a type than its identity, so those that are free are told apart by hand.
    fn bare_below(command: &Command, place: &str, found: &mut BTreeSet<String>) {
        for arg in command.get_arguments() {
            let known = arg.get_value_parser().possible_values().is_some();
            if !is_free(arg) && !is_file(arg) && !known && source(place, arg).is_none() {
                found.insert(format!("{place} {}", arg.get_id()));
            }
        }
        for below in command.get_subcommands() {
            bare_below(below, &format!("{place} {}", below.get_name()), found);
        }
    }

    /// Texts, numbers, times, and pairs of a name and a text.
    fn is_free(arg: &Arg) -> bool {
        let numbers = is::<u8>(arg) || is::<u16>(arg) || is::<u32>(arg) || is::<usize>(arg);
        let times = is::<Moment>(arg) || is::<Duration>(arg) || is::<Date>(arg);
        let texts = is::<String>(arg) || is::<OsString>(arg) || is::<PathBuf>(arg);
        let named = arg.get_value_names().unwrap_or_default();
        let pairs = named.iter().any(|name| name.contains('=') || name.contains("[:"));
        numbers || times || texts || pairs || is::<bool>(arg) || is::<(AgentName, String)>(arg)
    }

    #[test]
    fn what_is_one_of_a_known_set_is_offered() {
        let mut found = BTreeSet::new();
        bare_below(&Arguments::command(), "orch", &mut found);
        let free = [
            "orch halt id",
            "orch halt until",
            "orch incident open id",
            "orch init source",
            "orch run fail open_fix",
            "orch schedule run-once fired_by",
            "orch task open id",
        ];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), free);
    }

    #[test]
    fn records_words_are_read_from_their_parsers() {
        let told = |source: Source| -> Vec<String> {
            source("").unwrap_or_default().into_iter().map(|(word, _)| word).collect()
        };
        let outcomes = ["completed", "rejected", "rolled_back", "abandoned"];
        assert_eq!(told(words::<kind::Outcome>), outcomes);
        assert_eq!(told(words::<kind::Finding>).len(), 2);
    }
}
