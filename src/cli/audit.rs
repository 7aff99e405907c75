//! `orch audit`: ask for an audit, report one, list and show them.

use clap::Subcommand;

use super::Stop;
use super::context::{Context, View};
use super::desk::Desk;
use super::import::{bytes_of, unreadable};
use super::ledger::{Writer, Writing};
use super::output::{id, json, say, say_lines, table};
use super::task::word;
use crate::draft::{self, Author};
use crate::policy::Stage;
use crate::record::kind::{AuditRequest, AuditTest, Issue, Urgency, Verdict};
use crate::record::{self, Payload};
use crate::render::Format;
use crate::source::TaskId;
use crate::world;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Ask for an audit of what the task has delivered
    #[command(after_help = "Example: orch audit request strat-001 --priority urgent")]
    Request(Request),
    /// Report an audit; FAIL returns the task with its issues
    #[command(
        after_help = "Covers every artifact that the stages before the audit delivered. The \
                            session must be one that did no stage\nof the task. A PASS names every \
                            test that the policy asks for.\nExample: orch audit report strat-001 \
                            --verdict PASS --test anti_bias=PASS --test full_audit=PASS"
    )]
    Report(Report),
    /// List audit reports
    #[command(after_help = "Example: orch audit list")]
    List(List),
    /// Show a task's last audit report
    #[command(after_help = "Example: orch audit show strat-001")]
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct Request {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// normal or urgent
    #[arg(long, default_value = "normal", value_parser = word::<Urgency>)]
    priority: Urgency,
    /// The day it is due, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    deadline: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// PASS or FAIL, exactly
    #[arg(long, value_parser = word::<Verdict>, required_unless_present = "from")]
    verdict: Option<Verdict>,
    /// A test that was done, and how it went; may be given several times
    #[arg(long, value_name = "NAME=PASS|FAIL", value_parser = test)]
    test: Vec<AuditTest>,
    /// severity:category:location:what:remedy; may be given several times
    #[arg(long, value_name = "ISSUE")]
    issue: Vec<String>,
    /// Read verdict, tests and issues from a YAML file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["verdict", "test", "issue"])]
    from: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// What an auditor found, as a file may hold it.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Findings {
    verdict: Verdict,
    #[serde(default)]
    tests: Vec<AuditTest>,
    #[serde(default)]
    issues: Vec<Issue>,
}

impl Audit {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Audit::Request(command) => command.run(context),
            Audit::Report(command) => command.run(context),
            Audit::List(command) => command.run(context),
            Audit::Show(command) => command.run(context),
        }
    }
}

fn test(text: &str) -> Result<AuditTest, String> {
    let (name, verdict) = text.split_once('=').ok_or("write NAME=PASS or NAME=FAIL")?;
    Ok(AuditTest { name: name.to_owned(), verdict: word(verdict)?, notes: None })
}

/// Reads `critical:lookahead:src/a.py:12:what:remedy`, or `minor:other:general:what:remedy`.
fn issue(text: &str, number: usize) -> Result<Issue, String> {
    let form = "write severity:category:location:what:remedy, with `file:line` or `general`";
    let mut parts = text.split(':').map(str::trim);
    let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or(form.to_owned());
    let (severity, category, mut location) = (next()?, next()?, next()?.to_owned());
    let mut description = next()?.to_owned();
    if description.bytes().all(|byte| byte.is_ascii_digit()) {
        location = format!("{location}:{description}");
        description = next()?.to_owned();
    }
    let remediation = parts.collect::<Vec<_>>().join(": ");
    if remediation.is_empty() {
        return Err(form.into());
    }
    Ok(Issue {
        id: format!("issue-{number:03}"),
        severity: word(severity)?,
        category: word(category)?,
        description,
        location,
        remediation,
    })
}

impl Request {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        let state = desk.state();
        let stage = audit_stage(desk.workflow()?, &self.id)?;
        let covered = world::to_be_covered(desk.policy(), state, &stage.name);
        let author = desk.author(context)?;
        let request = AuditRequest {
            name: state.task.title.clone(),
            version: state.task.version.clone().unwrap_or_else(|| "1".into()),
            artifacts: covered.into_iter().map(|a| (a.name, a.path)).collect(),
            requestor: author.actor.clone(),
            priority: self.priority,
            deadline: self.deadline,
        };
        let mut writer = Writer::new(context, &desk.view, author);
        writer.add(&desk.home(), request)?;
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        let agent = draft::agent(desk.policy(), desk.state(), stage);
        say(format!("next: git commit, then orch run start {} --agent {agent}", self.id));
        Ok(())
    }
}

/// Tells whether the ledger ends with this verdict by this auditor: reporting it again is the same
/// submission (R001-18).
fn reported_already(desk: &Desk, author: &Author, verdict: Verdict) -> bool {
    let last = desk.ledger().records.last().map(|record| &record.payload);
    let ends = matches!(last, Some(Payload::AuditReport(_) | Payload::FailureResponse(_)));
    let said = desk.state().audits.last();
    ends && said.is_some_and(|known| (&known.auditor, known.verdict) == (&author.actor, verdict))
}

fn audit_stage<'p>(workflow: &'p crate::policy::Workflow, id: &TaskId) -> Result<&'p Stage, Stop> {
    let mut stages = workflow.stages.iter();
    stages.find(|stage| stage.kind == crate::policy::StageKind::Audit).ok_or_else(|| {
        Stop::fault(format!("the workflow of `{id}` has no audit"), "nothing to ask for here")
    })
}

impl Report {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let findings = self.findings(context)?;
        let desk = Desk::of(context, &self.id)?;
        let (policy, state) = (desk.policy(), desk.state());
        let author = desk.author(context)?;
        if reported_already(&desk, &author, findings.verdict) {
            say(format!("this audit is reported already: orch audit show {}", self.id));
            return Ok(());
        }
        let stage = desk.stage(None)?;
        let Findings { verdict, tests, issues } = findings;
        let report = draft::audit_report(policy, state, stage, &author, verdict, tests, issues);
        let response = draft::failure_response(state, stage, &report);
        let returns_to = response.returns_to.clone();
        let mut writer = Writer::new(context, &desk.view, author);
        writer.add(&desk.home(), report)?;
        if verdict == Verdict::Fail {
            writer.add(&desk.home(), response)?;
        }
        if writer.commit(self.writing)?.is_foreseen() {
            return Ok(());
        }
        match verdict {
            Verdict::Pass => {
                say(format!("next: git commit, then orch gate {} by a coordinator", self.id))
            }
            Verdict::Fail => {
                say_lines(format!("the task returns to {returns_to}\nnext: git commit"))
            }
        }
        Ok(())
    }

    fn findings(&self, context: &Context) -> Result<Findings, Stop> {
        let Some(file) = &self.from else {
            let numbered = self.issue.iter().zip(1..);
            let issues: Result<Vec<_>, _> = numbered.map(|(text, n)| issue(text, n)).collect();
            let issues = issues.map_err(|why| Stop::fault("an --issue can't be read", why))?;
            let verdict = self.verdict.expect("clap asks for --verdict or --from");
            return Ok(Findings { verdict, tests: self.test.clone(), issues });
        };
        let bytes = bytes_of(context, file)?;
        record::document(&bytes)
            .map(|(findings, _)| findings)
            .map_err(|problems| unreadable(file, &bytes, &problems))
    }
}

impl List {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, true)?;
        let mut rows = Vec::new();
        let mut listed = Vec::new();
        for state in view.world.ledgers.values().filter_map(|ledger| ledger.state()) {
            for audit in &state.audits {
                let verdict = serde_json::to_value(audit.verdict).unwrap_or_default();
                let verdict = verdict.as_str().unwrap_or_default().to_owned();
                rows.push(vec![
                    state.task.task_id.to_string(),
                    verdict.clone(),
                    audit.auditor.to_string(),
                    audit.date.to_string(),
                    if audit.live { "live".into() } else { "superseded".to_owned() },
                ]);
                listed.push(serde_json::json!({
                    "task_id": state.task.task_id, "verdict": verdict, "auditor": audit.auditor,
                    "date": audit.date, "version": audit.version, "live": audit.live,
                    "path": audit.evidence.path, "covers": audit.covers,
                }));
            }
        }
        match self.format {
            Format::Json => json(&listed),
            Format::Human if rows.is_empty() => say("no audits"),
            Format::Human => table(&rows),
        }
        Ok(())
    }
}

impl Show {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[&self.id])?;
        let (ledger, _) = view.task(&self.id)?;
        let report = ledger.records.iter().rev().find_map(|record| match &record.payload {
            Payload::AuditReport(report) => Some((record, report)),
            _ => None,
        });
        let Some((record, report)) = report else {
            let help = format!("ask for one: `orch audit request {}`", self.id);
            return Err(Stop::fault(format!("`{}` has no audit report", self.id), help));
        };
        match self.format {
            Format::Json => json(report),
            Format::Human => {
                say(format!("# {}", record.repo_path()));
                say_lines(record::write(&record.payload, &record.entry));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kind::{Category, IssueSeverity};

    #[test]
    fn an_issue_is_read_from_one_line() {
        let read =
            issue("critical:lookahead:src/a.py:12:uses the close:use the open", 1).expect("one");
        assert_eq!((read.severity, read.category), (IssueSeverity::Critical, Category::Lookahead));
        assert_eq!((read.location.as_str(), read.id.as_str()), ("src/a.py:12", "issue-001"));
        assert_eq!(read.remediation, "use the open");
        let read = issue("minor:other:general:unclear:say more: much more", 2).expect("one");
        assert_eq!(
            (read.location.as_str(), read.remediation.as_str()),
            ("general", "say more: much more")
        );
        assert!(issue("bad:other:general:a:b", 1).is_err());
        assert!(issue("minor:other:general:a", 1).is_err());
    }
}
