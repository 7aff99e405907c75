//! `orch message`: what agents tell each other about a task, on the record (R000-27 to R000-31).

use clap::Subcommand;
use serde_json::{Map, Value};

use super::Stop;
use super::context::{Context, View};
use super::desk::Desk;
use super::import::{bytes_of, unreadable};
use super::ledger::Writing;
use super::output::{id, json, say, table};
use super::task::word;
use crate::exchange;
use crate::record::kind::{self, MessageStatus, MessageType};
use crate::record::{Payload, yaml};
use crate::render::Format;
use crate::report::spelled;
use crate::source::{AgentName, RepoPath, TaskId};

#[derive(Debug, Subcommand)]
pub(super) enum Message {
    /// Write a message to the ledger of a task
    #[command(after_help = "Writes a `message` entry and stages it. Whoever sends it speaks for \
                            themselves, to an agent of\nthe policy or to `orchestrator`.\nExample: \
                            orch message send --to quant_engineer --task strat-001 --payload \
                            question='Which fee?'")]
    Send(Send),
    /// Read your own message that was written elsewhere, and put it on the record
    #[command(
        after_help = "Reads `message: {from, to, type, task_id, payload, status, timestamp}` \
                            in YAML or JSON. One of the\ntype handoff is for `orch handoff \
                            import`.\nExample: orch message import question.yaml"
    )]
    Import(Import),
    /// List messages, the oldest first
    #[command(after_help = "Example: orch message list --to quant_engineer")]
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Send {
    /// Who shall hear it: an agent, or orchestrator
    #[arg(long, value_name = "AGENT", value_parser = id::<AgentName>)]
    to: AgentName,
    /// The task it is about
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: TaskId,
    /// request, response or handoff
    #[arg(long = "type", value_name = "TYPE", default_value = "request",
          value_parser = word::<MessageType>)]
    kind: MessageType,
    /// pending, in_progress, completed or failed
    #[arg(long, default_value = "pending", value_parser = word::<MessageStatus>)]
    status: MessageStatus,
    /// A part of what it says, as text; may be given several times
    #[arg(long, value_name = "NAME=TEXT", value_parser = part)]
    payload: Vec<(String, String)>,
    /// A YAML or JSON file with a map of what it says; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "payload")]
    payload_file: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// To this agent only
    #[arg(long, value_name = "AGENT", value_parser = id::<AgentName>)]
    to: Option<AgentName>,
    /// About this task only
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Option<TaskId>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

fn part(text: &str) -> Result<(String, String), String> {
    let (name, said) = text.split_once('=').ok_or("write NAME=TEXT")?;
    match name.trim() {
        "" => Err("write NAME=TEXT".into()),
        name => Ok((name.to_owned(), said.to_owned())),
    }
}

impl Message {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Message::Send(command) => command.run(context),
            Message::Import(command) => command.run(context),
            Message::List(command) => command.run(context),
        }
    }
}

impl Send {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let payload = self.said(context)?;
        let desk = Desk::of(context, &self.task)?;
        let author = desk.author(context)?;
        let message = kind::Message {
            from: author.actor.clone(),
            to: self.to,
            kind: self.kind,
            task_id: self.task,
            payload,
            status: self.status,
            timestamp: author.at,
        };
        desk.record(context, author, message, self.writing)
    }

    fn said(&self, context: &Context) -> Result<Map<String, Value>, Stop> {
        let Some(file) = &self.payload_file else {
            let mut said = Map::new();
            for (name, text) in &self.payload {
                if said.insert(name.clone(), text.as_str().into()).is_some() {
                    let message = format!("`--payload {name}=…` is given twice");
                    return Err(Stop::fault(message, "say each name once"));
                }
            }
            return Ok(said);
        };
        let bytes = bytes_of(context, file)?;
        let tree = yaml::read(&bytes).map_err(|problems| unreadable(file, &bytes, &problems))?;
        match tree.to_json() {
            Value::Object(said) => Ok(said),
            _ => {
                Err(Stop::fault(format!("{file} holds no map"), "write `name: value` lines in it"))
            }
        }
    }
}

impl Import {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let bytes = bytes_of(context, &self.file)?;
        let message = exchange::one_message(&bytes)
            .map_err(|problems| unreadable(&self.file, &bytes, &problems))?;
        if message.kind == MessageType::Handoff {
            let file = RepoPath::from(self.file.as_str()).in_shell();
            let help = format!("seal it: `orch handoff import {file}`");
            return Err(Stop::fault("this message hands over files", help));
        }
        let desk = Desk::of(context, &message.task_id)?;
        let author = desk.author(context)?;
        let mut records = desk.ledger().records.iter();
        if records.any(|record| record.payload == message.clone().into()) {
            say("this message is on the record already");
            return Ok(());
        }
        desk.record(context, author, message, self.writing)
    }
}

/// A message, as lists show it.
#[derive(serde::Serialize)]
struct Listed<'m> {
    sequence: u32,
    #[serde(flatten)]
    message: &'m kind::Message,
}

impl List {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let view = match &self.task {
            Some(task) => View::of(context, &[task])?,
            None => View::of_all(context, true)?,
        };
        if let Some(task) = &self.task {
            view.task(task)?;
        }
        let records = view.world.ledgers.values().flat_map(|ledger| &ledger.records);
        let messages = records.filter_map(|record| match &record.payload {
            Payload::Message(message) => Some(Listed { sequence: record.sequence(), message }),
            _ => None,
        });
        let mut listed: Vec<Listed<'_>> = messages.filter(|one| self.wants(one.message)).collect();
        listed.sort_by_key(|one| (one.message.timestamp, one.sequence));
        match self.format {
            Format::Json => json(&listed),
            Format::Human if listed.is_empty() => say("no messages"),
            Format::Human => table(&listed.iter().map(Listed::row).collect::<Vec<_>>()),
        }
        Ok(())
    }

    fn wants(&self, message: &kind::Message) -> bool {
        let to = self.to.as_ref().is_none_or(|to| *to == message.to);
        to && self.task.as_ref().is_none_or(|task| *task == message.task_id)
    }
}

impl Listed<'_> {
    fn row(&self) -> Vec<String> {
        let message = self.message;
        let said = message.payload.iter().map(|(name, said)| match said {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        });
        vec![
            message.timestamp.to_string(),
            message.task_id.to_string(),
            format!("{} -> {}", message.from, message.to),
            spelled(&message.kind),
            spelled(&message.status),
            said.collect::<Vec<_>>().join("; ").replace('\n', " "),
        ]
    }
}
