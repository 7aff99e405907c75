//! An alert as each channel reads it: a JSON document, a message of Slack, a mail.

use serde_json::{Value, json};

use super::alert::Alert;
use super::remembered::{Due, State};
use crate::report::spelled;
use crate::source::path::unprintable;

/// An alert on its way, with where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// What is sent.
    pub due: &'a Due,
    /// The project, as its policy names it.
    pub project: &'a str,
    /// Where this runs, such as `production` (R003-32).
    pub environment: &'a str,
    /// The run that sends it (R003-32).
    pub run_id: &'a str,
}

/// The longest message that is written out; Slack refuses longer ones.
const LONGEST: usize = 2_000;

/// Gives the JSON document of a webhook. Its fields are always there, null where nothing is known.
pub fn webhook(envelope: &Envelope<'_>) -> Value {
    let Alert { fingerprint, action, severity, title, message, source, .. } = &envelope.due.alert;
    let Alert { task_id, incident_id, halt_id, path, agent, .. } = &envelope.due.alert;
    let Alert { details, at, procedure, help, .. } = &envelope.due.alert;
    json!({
        "version": 1,
        "state": envelope.due.state,
        "action": action,
        "severity": severity,
        "title": title,
        "message": message,
        "source": source,
        "task_id": task_id,
        "incident_id": incident_id,
        "halt_id": halt_id,
        "path": path,
        "agent": agent,
        "details": details,
        "at": at,
        "fingerprint": fingerprint,
        "procedure": procedure,
        "answer": envelope.due.alert.answer(),
        "help": help,
        "project": envelope.project,
        "environment": envelope.environment,
        "run_id": envelope.run_id,
    })
}

/// Gives the message of Slack's incoming webhooks: a line for notifications, and blocks.
pub fn slack(envelope: &Envelope<'_>) -> Value {
    let headline = escaped(&headline(envelope.due));
    let mut body = format!("*{headline}*\n{}", escaped(&short(&envelope.due.alert.message)));
    for (name, text) in facts(envelope) {
        body.push_str(&format!("\n*{}:* {}", escaped(&name), escaped(&short(&text))));
    }
    let body = cut(&body, LONGEST + 900);
    json!({
        "text": format!("{headline}: {}", escaped(&short(&envelope.due.alert.message))),
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": body } }],
    })
}

/// Gives the subject of a mail, on one line.
pub fn mail_subject(envelope: &Envelope<'_>) -> String {
    let title = format!("[{}] {}", envelope.project, headline(envelope.due));
    plain(&title).chars().take(200).collect()
}

/// Gives the text of a mail.
pub fn mail_text(envelope: &Envelope<'_>) -> String {
    let mut text =
        format!("{}\n\n{}\n\n", headline(envelope.due), plain(&envelope.due.alert.message));
    for (name, fact) in facts(envelope) {
        text.push_str(&format!("{name}: {}\n", plain(&fact)));
    }
    text
}

fn headline(due: &Due) -> String {
    let Due { state, alert, .. } = due;
    let over = if *state == State::Resolved { "resolved, " } else { "" };
    let severity = spelled(&alert.severity).to_uppercase();
    plain(&format!("{over}{severity} {}: {}", alert.action, alert.title))
}

/// What is known beside the message, in the order in which a reader asks.
fn facts(envelope: &Envelope<'_>) -> Vec<(String, String)> {
    let alert = &envelope.due.alert;
    let known = [
        ("task", alert.task_id.as_ref().map(ToString::to_string)),
        ("incident", alert.incident_id.as_ref().map(ToString::to_string)),
        ("halt", alert.halt_id.as_ref().map(ToString::to_string)),
        ("file", alert.path.clone()),
        ("raised by", alert.agent.clone()),
        ("since", Some(alert.at.to_string())),
        ("answer", alert.answer()),
        ("help", alert.help.clone()),
        ("project", Some(envelope.project.to_owned())),
        ("environment", Some(envelope.environment.to_owned())),
        ("run", Some(envelope.run_id.to_owned())),
        ("fingerprint", Some(alert.fingerprint.to_string())),
    ];
    let details = alert.details.iter().map(|(name, text)| (plain(name), text.clone()));
    let known = known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    details.chain(known).collect()
}

/// Gives a text on one line, with what nobody could see as an escape.
fn plain(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\r' | '\t' => " ".to_owned(),
        _ if unprintable(letter) => letter.escape_unicode().to_string(),
        _ => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

fn short(text: &str) -> String {
    cut(&plain(text), LONGEST)
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Gives a text as Slack asks for it, so that nothing in it is a link or calls a channel.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
