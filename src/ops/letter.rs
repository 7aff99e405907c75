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

/// Gives the message of Slack's incoming webhooks: a line for notifications, and blocks. Slack makes
/// links and calls of words by itself, unless `verbatim` forbids it in a block, and `parse` and
/// `link_names` in the line.
pub fn slack(envelope: &Envelope<'_>) -> Value {
    let headline = escaped(&headline(envelope.due));
    let mut body = format!("*{headline}*\n{}", escaped(&short(&envelope.due.alert.message)));
    for (name, text) in facts(envelope) {
        body.push_str(&format!("\n*{}:* {}", escaped(&name), escaped(&short(&text))));
    }
    let body = cut(&body, LONGEST + 900);
    json!({
        "text": format!("{headline}: {}", escaped(&short(&envelope.due.alert.message))),
        "mrkdwn": false,
        "parse": "none",
        "link_names": 0,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": [{
            "type": "section",
            "text": { "type": "mrkdwn", "text": body, "verbatim": true },
        }],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::raised;
    use crate::source::Moment;

    fn alert(message: &str) -> Due {
        let policy = crate::testing::world("- task: {}").policy;
        let action = "risk_alert".parse().expect("a name");
        let at: Moment = "2026-11-21T14:30:00Z".parse().expect("a moment");
        let details = [("cost & fee".to_owned(), "<1>".to_owned())].into();
        let alert = raised(&policy, (&action, None), (message, details), ("risk", None), at);
        Due { state: State::Raised, times: 1, alert }
    }

    fn sent(due: &Due) -> Envelope<'_> {
        Envelope { due, project: "fund\r\nBcc: x", environment: "local", run_id: "run-1" }
    }

    /// R003-27: whatever an alert says, it calls no channel of Slack's and makes no link.
    #[test]
    fn slack_reads_words_as_words() {
        let due = alert("<!channel> a & b <https://x|y>\u{202e}");
        let body = slack(&sent(&due));
        assert_eq!(body["blocks"][0]["text"]["verbatim"], true, "bare addresses make no link");
        assert_eq!((&body["parse"], &body["link_names"]), (&"none".into(), &0.into()));
        assert_eq!((&body["unfurl_links"], &body["unfurl_media"]), (&false.into(), &false.into()));
        let body = body.to_string();
        assert!(!body.contains("<!") && !body.contains("<https") && !body.contains('\u{202e}'));
        assert!(body.contains("&lt;!channel&gt; a &amp; b") && body.contains("cost &amp; fee"));
        let long = slack(&sent(&alert(&"&".repeat(9_000))));
        let text = long["blocks"][0]["text"]["text"].as_str().expect("a text");
        assert!(text.chars().count() <= 3_000, "Slack refuses longer ones");
    }

    /// R003-27: a subject is one line.
    #[test]
    fn a_subject_is_one_line() {
        let due = alert("x");
        let subject = mail_subject(&sent(&due));
        assert_eq!(subject, "[fund  Bcc: x] ERROR risk_alert: risk_alert");
        assert!(mail_text(&sent(&alert("a\r\n.\r\nQUIT"))).contains("a  .  QUIT"));
    }

    /// The fields that receivers rely on are always there.
    #[test]
    fn a_webhook_has_all_its_fields() {
        let due = alert("x");
        let body = webhook(&sent(&due));
        let fields: Vec<&str> =
            body.as_object().expect("an object").keys().map(String::as_str).collect();
        let promised = "action agent answer at details environment fingerprint halt_id help \
                        incident_id message path procedure project run_id severity source state \
                        task_id title version";
        let mut fields = fields;
        fields.sort_unstable();
        assert_eq!(fields.join(" "), promised);
    }
}
