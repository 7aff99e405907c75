//! Who hears of what, how loudly, and what is done about it (R003-6, R003-25 to R003-27).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::Model;
use super::schedule::procedure;
use super::terms::{Lasting, Problems};
use crate::record::did_you_mean;
use crate::source::ActionName;

/// Where alerts go, and what they are about.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Nothing below this is sent; a warning if it is not said.
    pub min_severity: Option<AlertSeverity>,
    /// Where they go.
    pub channels: BTreeMap<String, Channel>,
    /// What happened, how bad it is, and what is done.
    pub actions: BTreeMap<ActionName, Action>,
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    /// For those who look for something.
    Debug,
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody must look.
    #[default]
    Error,
    /// Somebody must act now.
    Critical,
}

/// Where alerts go.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// How it is sent.
    pub kind: ChannelKind,
    /// The environment variable that holds the address, and with it the secret; it is told nowhere.
    pub url_env: String,
    /// How long one attempt may take; 4 seconds if it is not said.
    #[serde(default)]
    pub timeout: Option<Lasting>,
    /// Nothing below this is sent here.
    #[serde(default)]
    pub min_severity: Option<AlertSeverity>,
    /// The actions that are sent here; all of them if none is named.
    #[serde(default)]
    pub actions: Vec<ActionName>,
    /// Who a mail comes from.
    #[serde(default)]
    pub from: Option<String>,
    /// Who a mail goes to.
    #[serde(default)]
    pub to: Vec<String>,
}

/// How an alert is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// A JSON document, by POST.
    Webhook,
    /// A message of Slack's incoming webhooks.
    Slack,
    /// A mail, by SMTP: `smtp://user:password@host:port` or `smtps://…`.
    Email,
}

/// What happened, how bad it is, and what is done: a row of the escalation matrix (R003-6).
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What happened.
    pub title: String,
    /// How bad it is; an error if it is not said. `ALERT_SEVERITY_<ACTION>` sets another.
    #[serde(default)]
    pub severity: Option<AlertSeverity>,
    /// What is done about it.
    #[serde(default)]
    pub procedure: Option<String>,
}

/// Adds everything that is wrong with it.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    let alerts = &model.alerts;
    for (name, channel) in &alerts.channels {
        channel_problems(alerts, &format!("alerts.channels.{name}"), channel, problems);
    }
    for (name, action) in &alerts.actions {
        let field = format!("alerts.actions.{name}.procedure");
        procedure(model, action.procedure.as_ref(), &field, problems);
    }
}

fn channel_problems(alerts: &Alerts, field: &str, channel: &Channel, problems: &mut Problems<'_>) {
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if channel.url_env.is_empty() || !channel.url_env.bytes().all(letter) {
        // An address holds a secret; a policy is read by everyone.
        let message = "this is no name of an environment variable".to_owned();
        let help = "write its name, such as `ALERT_WEBHOOK_URL`, and keep the address out of here";
        problems.at(&format!("{field}.url_env"), message, help);
    }
    let mail = channel.kind == ChannelKind::Email;
    if mail && (channel.from.is_none() || channel.to.is_empty()) {
        problems.at(
            field,
            "a mail comes from somebody and goes to somebody".into(),
            "give it `from` and `to`",
        );
    }
    let mut addresses = channel.from.iter().chain(&channel.to);
    if let Some(strange) = addresses.find(|address| mail && !may_be_mail(address)) {
        let help = "write it as `ops@example.com`, or as `Operations <ops@example.com>`";
        problems.at(field, format!("`{strange}` is no address of a mail"), help);
    }
    if !mail && (channel.from.is_some() || !channel.to.is_empty()) {
        problems.at(field, "only a mail has `from` and `to`".into(), "drop them");
    }
    for (index, name) in channel.actions.iter().enumerate() {
        if !alerts.actions.contains_key(name) {
            let near = did_you_mean(name.as_str(), alerts.actions.keys().map(ActionName::as_str));
            let help = near.map_or("add it to `alerts.actions`".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let message = format!("there is no action `{name}`");
            problems.at(&format!("{field}.actions.{index}"), message, help);
        }
    }
}

/// Tells whether a text has the form of a mail's address, a name before it or not. Whether it is one,
/// only its server knows.
fn may_be_mail(text: &str) -> bool {
    let bare = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let bare = bare.map_or(text, |(_, bare)| bare);
    let strange =
        |letter: char| letter.is_whitespace() || letter.is_control() || "<>,".contains(letter);
    let parts = bare.rsplit_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    parts.is_some_and(|_| !bare.contains(strange)) && !text.contains(char::is_control)
}
