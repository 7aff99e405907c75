//! The command line: one file a command. Only this room prints, and reads the clock and the
//! environment.

mod activity;
mod approve;
mod assign;
mod audit;
mod bar;
mod board;
mod checkpoint;
mod ci;
mod claim;
mod claims;
mod compared;
mod completions;
mod context;
mod dashboards;
mod decide;
mod demo;
mod deps;
mod desk;
mod dispatch;
mod elsewhere;
mod escalate;
mod exec;
mod explain;
mod export;
mod failing;
mod files;
mod fix;
mod freeze;
mod freezes;
mod gate;
mod graph;
mod guard;
mod halt;
mod handoff;
mod handoff_verify;
mod handoffs;
mod health;
mod heard;
mod hooks;
mod import;
mod in_toto;
mod incident;
mod incidents;
mod init;
mod journal;
mod ledger;
mod lock;
mod log;
mod man;
mod meant;
mod metrics;
mod message;
mod next;
mod notify;
mod open;
mod output;
mod pager;
mod phases;
mod plan;
mod procedure;
mod push;
mod quarantine;
mod rebase;
mod reject;
mod report;
mod rollback;
mod run;
mod schedule;
mod schema;
mod seal;
mod sign;
mod signals;
mod since;
mod status;
mod suggest;
mod task;
mod tasks;
mod templates;
mod told;
mod trace;
mod trust;
mod update;
mod worktree;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use context::Context;
pub use output::Stop;

/// A Git-native guard: a team of agents and people works through one repository, and no step is
/// skipped
#[derive(Debug, Parser)]
#[command(name = "orch", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Start with `orch init --template strategy --hooks`, or see it all happen: \
                        `orch demo`.\nExit codes: 0 nothing refused, 1 something refused, 2 could \
                        not look; 128 and a signal's number, \
                        interrupted."
)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    who: Who,
    /// Show what is long at once, and not page by page
    #[arg(long, global = true)]
    no_pager: bool,
}

/// Who acts, and from which context.
#[derive(Debug, Clone, clap::Args)]
struct Who {
    /// Who acts
    #[arg(long, env = "ORCH_AGENT", global = true, value_name = "NAME")]
    agent: Option<String>,
    /// The context that does the work
    #[arg(long, env = "ORCH_SESSION", global = true, value_name = "ID")]
    session: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start here: write a policy, and the hooks that enforce it
    Init(init::Init),
    /// Show a whole strategy, from idea to live, with every bypass refused
    Demo(demo::Demo),
    /// Judge what is staged, or a range of commits
    Guard(guard::Guard),
    /// Replay every ledger from its first entry, all records, all checksums
    Verify(guard::Verify),
    /// Tell why a check is there, with a bad and a good example
    Explain(explain::Explain),
    /// Tell what an agent should do now, as commands
    Next(next::Next),
    /// Tell what may run now, what may run at once, and how long all of it takes
    Plan(plan::Plan),
    /// Run the plan here: a worktree and a branch for each task, agents' own commands
    Dispatch(dispatch::Dispatch),
    /// Show the board, or one task's ledger as a story
    Status(status::Status),
    /// Tell how things stand, part by part: what is wrong, and what to type
    Health(health::Health),
    /// Tell how the work goes, in numbers, from the ledgers alone
    Metrics(metrics::Metrics),
    /// Show the whole of the work: on one page, in short, or as JSON
    Report(report::Report),
    /// Open, list, show and close tasks
    #[command(subcommand)]
    Task(task::Task),
    /// Start a stage, or record that it failed
    #[command(subcommand)]
    Run(run::Run),
    /// Hand a stage's artifacts to the next agent
    #[command(subcommand)]
    Handoff(handoff::Handoff),
    /// Tell another agent something about a task, on the record
    #[command(subcommand)]
    Message(message::Message),
    /// Evaluate the gate behind a stage, and record the result
    Gate(gate::Gate),
    /// Ask for an audit, or report one
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Approve a stage, as a person
    Approve(approve::Approve),
    /// Stop a task until a person resumes it
    Pause(freeze::Pause),
    /// Let a paused task move again, with a person's sign-off
    Resume(freeze::Resume),
    /// Ask a person to decide, with both positions on the record
    Escalate(escalate::Escalate),
    /// Pull the kill switch: nothing passes in its scope until a person lifts it
    Halt(halt::Halt),
    /// Lift a halt, with a person's sign-off
    Unhalt(halt::Unhalt),
    /// Open an incident, take its steps, and close it
    #[command(subcommand)]
    Incident(incident::Incident),
    /// Do what the policy says about an incident, step by step
    #[command(subcommand)]
    Procedure(procedure::Procedure),
    /// Tell those who should know: what is new, or what you raise
    Notify(notify::Notify),
    /// Record a person's decision
    Decide(decide::Decide),
    /// The day's jobs: list them, run one, hand them to your scheduler
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// Tell what everybody did, from the ledgers of a commit
    Log(log::Log),
    /// Give what is on the record to tools that know nothing of orch
    #[command(subcommand)]
    Export(in_toto::Export),
    /// Sign your own records with the SSH key that Git is configured to use
    Sign(sign::Sign),
    /// Install, remove and inspect Git hooks
    #[command(subcommand)]
    Hooks(hooks::Hooks),
    /// Print the JSON Schema of a kind of record, or of the policy
    Schema(schema::Schema),
    /// Print the script that makes a shell complete commands, tasks, agents and stages
    Completions(completions::Completions),
    /// Write the manual, a page for each command
    Man(man::Man),
}

/// Runs the command line of this process and gives its exit code: 0 nothing refused, 1 something
/// refused, 2 could not look.
pub fn main() -> ExitCode {
    if completions::answered() {
        return ExitCode::SUCCESS;
    }
    let matches = often().unwrap_or_else(defined);
    let command = words(&matches);
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let named = matches.value_source("agent") == Some(ValueSource::CommandLine);
    let mut who = arguments.common.who;
    // CI services set variables that they have no value for.
    who.agent = who.agent.filter(|agent| named || !agent.is_empty());
    who.session = who.session.filter(|session| !session.is_empty());
    let context = Context::of_process(who, named);
    trace::begin(&context, &command);
    pager::begin(&command, &matches);
    let done = match arguments.command {
        Command::Init(command) => command.run(&context),
        Command::Demo(command) => command.run(&context),
        Command::Guard(command) => command.run(&context),
        Command::Verify(command) => command.run(&context),
        Command::Explain(command) => command.run(&context),
        Command::Next(command) => command.run(&context),
        Command::Plan(command) => command.run(&context),
        Command::Dispatch(command) => command.run(&context),
        Command::Status(command) => command.run(&context),
        Command::Health(command) => command.run(&context),
        Command::Metrics(command) => command.run(&context),
        Command::Report(command) => command.run(&context),
        Command::Task(command) => command.run(&context),
        Command::Run(command) => command.run(&context),
        Command::Handoff(command) => command.run(&context),
        Command::Message(command) => command.run(&context),
        Command::Gate(command) => command.run(&context),
        Command::Audit(command) => command.run(&context),
        Command::Approve(command) => command.run(&context),
        Command::Pause(command) => command.run(&context),
        Command::Resume(command) => command.run(&context),
        Command::Escalate(command) => command.run(&context),
        Command::Halt(command) => command.run(&context),
        Command::Unhalt(command) => command.run(&context),
        Command::Incident(command) => command.run(&context),
        Command::Procedure(command) => command.run(&context),
        Command::Notify(command) => command.run(&context),
        Command::Decide(command) => command.run(&context),
        Command::Schedule(command) => command.run(&context),
        Command::Log(command) => command.run(&context),
        Command::Export(command) => command.run(&context),
        Command::Sign(command) => command.run(&context),
        Command::Hooks(command) => command.run(&context),
        Command::Schema(command) => command.run(&context),
        Command::Completions(command) => command.run(&context),
        Command::Man(command) => command.run(&context),
    };
    pager::end();
    let code = done.err().map_or(0, |stop| stop.tell(&context));
    trace::end(&context, code);
    ExitCode::from(code)
}

/// Reads the command that hooks run, and the question which version this is, by definitions of their own:
/// to define all the others takes as long as to run it. None if it is another one, or anything is to be
/// told of its usage.
fn often() -> Option<clap::ArgMatches> {
    let command = clap::Command::new("orch").version(env!("CARGO_PKG_VERSION"));
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if words.len() == 2 && (words[1] == "--version" || words[1] == "-V") {
        command.get_matches_from(words);
        return None;
    }
    words.get(1).filter(|word| *word == "guard")?;
    let guard = guard::Guard::augment_args(clap::Command::new("guard"));
    Common::augment_args(command).subcommand(guard).try_get_matches_from(words).ok()
}

/// Reads any command, by the definitions of all.
fn defined() -> clap::ArgMatches {
    let mut command = Arguments::command();
    command.try_get_matches_from_mut(std::env::args_os()).unwrap_or_else(|error| {
        let words = std::env::args_os().skip(1);
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        meant::with_what_was_meant(error, &command, &words).exit()
    })
}

/// Gives the words of a command, such as `run start`.
fn words(matches: &clap::ArgMatches) -> String {
    let mut words = Vec::new();
    let mut inner = matches.subcommand();
    while let Some((word, matches)) = inner {
        words.push(word);
        inner = matches.subcommand();
    }
    words.join(" ")
}
