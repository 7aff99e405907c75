//! Where alerts go and how loud each is: the policy, and what the environment says otherwise (R003-25).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::alert::Alert;
use crate::policy::{AlertSeverity, Alerts, Channel, ChannelKind};
use crate::record::did_you_mean;
use crate::report::spelled;
use crate::source::ActionName;

/// How bad something can be, from the least on.
pub const SEVERITIES: [AlertSeverity; 5] = [
    AlertSeverity::Debug,
    AlertSeverity::Info,
    AlertSeverity::Warning,
    AlertSeverity::Error,
    AlertSeverity::Critical,
];
/// What the variables begin with that give an action a severity.
const SEVERITY_OF: &str = "ALERT_SEVERITY_";
const MINIMUM: &str = "ALERT_MIN_SEVERITY";
const WEBHOOK: &str = "ALERT_WEBHOOK_URL";
const TIMEOUT: &str = "ALERT_WEBHOOK_TIMEOUT_SECONDS";
const PRINTED: &str = "ALERT_STDOUT_ENABLED";
/// How long one attempt may take where nobody says.
const PATIENCE: Duration = Duration::from_secs(4);
/// The longest that one attempt may take.
const LONGEST: f64 = 300.0;

/// Reads one of the words for how bad something is.
pub fn severity(text: &str) -> Result<AlertSeverity, String> {
    let word = text.trim().to_lowercase();
    let known = SEVERITIES.into_iter().find(|known| spelled(known) == word);
    known.ok_or_else(|| {
        let words = SEVERITIES.iter().map(spelled).collect::<Vec<_>>();
        let near = did_you_mean(&word, words.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        format!("write {}{near}", severity_words())
    })
}

fn severity_words() -> String {
    let words: Vec<String> = SEVERITIES.iter().map(spelled).collect();
    let (last, others) = words.split_last().expect("there are five");
    format!("{} or {last}", others.join(", "))
}

/// An address with its secret, which is shown nowhere; none if what stands in its place is no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Option<String>);

impl Address {
    /// Gives it to what sends; it must not be told.
    #[cfg(any(test, feature = "notify"))]
    pub(super) fn secret(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// One way that alerts go.
#[derive(Debug, Clone)]
pub struct Route {
    /// The channel's name.
    pub name: String,
    /// How it is sent.
    pub kind: ChannelKind,
    /// The variable that holds the address.
    pub variable: String,
    /// The address; none where the variable is not set.
    pub address: Option<Address>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Nothing below this goes here.
    pub least: AlertSeverity,
    /// The actions that go here; all of them if none is named.
    pub actions: Vec<ActionName>,
    /// Who a mail comes from.
    pub from: Option<String>,
    /// Who a mail goes to.
    pub to: Vec<String>,
}

impl Route {
    /// Tells whether an alert goes this way.
    pub fn wants(&self, alert: &Alert) -> bool {
        let about = self.actions.is_empty() || self.actions.contains(&alert.action);
        about && alert.severity >= self.least
    }
}

/// All ways that alerts go.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The channels, by name.
    pub routes: Vec<Route>,
    /// Whether alerts are printed, too.
    pub printed: bool,
    /// Nothing below this is printed.
    pub least: AlertSeverity,
    /// Which variables say nothing that is known, and what to write; not what they say.
    pub strange: Vec<String>,
    severities: BTreeMap<String, AlertSeverity>,
}

impl Routes {
    /// Joins a policy with the variables of a process, none for one that is no text. A variable that says
    /// nothing that is known counts as if it were not set: whatever it says, alerts go out. `own` are
    /// actions that no policy has to name.
    pub fn of(alerts: &Alerts, variables: &BTreeMap<String, Option<String>>, own: &[&str]) -> Self {
        let mut said = Said { variables, strange: Vec::new() };
        let minimum = said.read(MINIMUM, severity);
        let least = minimum.or(alerts.min_severity).unwrap_or(AlertSeverity::Warning);
        let timeout = said.read(TIMEOUT, seconds);
        let printed = said.read(PRINTED, yes_or_no).unwrap_or(true);
        let own = own.iter().copied();
        let actions = alerts.actions.keys().map(ActionName::as_str).chain(own);
        let severities = said.severities(&actions.map(in_capitals).collect::<Vec<_>>());
        let set = |name: &str| said.set(name);
        let route = |name: &String, channel: &Channel| Route {
            name: name.clone(),
            kind: channel.kind,
            variable: channel.url_env.clone(),
            address: set(&channel.url_env).map(|text| Address(text.map(str::to_owned))),
            timeout: timeout
                .filter(|_| channel.kind != ChannelKind::Email)
                .or(channel.timeout.and_then(|timeout| timeout.0.to_std().ok()))
                .unwrap_or(PATIENCE)
                .min(Duration::from_secs_f64(LONGEST)),
            least: minimum.or(channel.min_severity).unwrap_or(least),
            actions: channel.actions.clone(),
            from: channel.from.clone(),
            to: channel.to.clone(),
        };
        let mut routes: Vec<Route> =
            alerts.channels.iter().map(|(name, channel)| route(name, channel)).collect();
        if routes.is_empty() && set(WEBHOOK).is_some() {
            let channel = Channel {
                kind: ChannelKind::Webhook,
                url_env: WEBHOOK.into(),
                timeout: None,
                min_severity: None,
                actions: Vec::new(),
                from: None,
                to: Vec::new(),
            };
            routes.push(route(&"webhook".to_owned(), &channel));
        }
        Routes { routes, printed, least, strange: said.strange, severities }
    }

    /// Gives an alert the severity that the environment gives its action, if it does.
    #[must_use]
    pub fn weighed(&self, alert: Alert) -> Alert {
        let said = self.severities.get(&in_capitals(alert.action.as_str()));
        Alert { severity: said.copied().unwrap_or(alert.severity), ..alert }
    }
}

/// What the variables of a process say, and those of them that say nothing that is known.
struct Said<'a> {
    variables: &'a BTreeMap<String, Option<String>>,
    strange: Vec<String>,
}

impl<'a> Said<'a> {
    /// Gives a variable that says something; none within if that is no text.
    fn set(&self, name: &str) -> Option<Option<&'a str>> {
        let text = self.variables.get(name)?.as_deref().map(str::trim);
        Some(text).filter(|text| text.is_none_or(|text| !text.is_empty()))
    }

    /// Reads a variable, and notes one that can't be read.
    fn read<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let read = self.set(name)?.ok_or_else(|| "it is not text".to_owned()).and_then(parse);
        read.map_err(|why| self.strange.push(format!("{name} counts for nothing: {why}"))).ok()
    }

    /// Reads the severities that actions are given, and notes names of what is no action.
    fn severities(&mut self, known: &[String]) -> BTreeMap<String, AlertSeverity> {
        let mut severities = BTreeMap::new();
        for name in self.variables.keys() {
            let action = name.strip_prefix(SEVERITY_OF).filter(|action| !action.is_empty());
            let Some(action) = action.filter(|_| self.set(name).is_some()) else { continue };
            if let Some(severity) = self.read(name, severity) {
                severities.insert(action.to_owned(), severity);
            }
            if !known.iter().any(|known| known == action) {
                let near = did_you_mean(action, known.iter().map(String::as_str));
                let near = near.map(|near| format!("; did you mean {SEVERITY_OF}{near}?"));
                let near = near.unwrap_or_default();
                self.strange.push(format!("{name} is about no action of the policy{near}"));
            }
        }
        severities
    }
}

/// Gives an action's name as variables spell it.
fn in_capitals(action: &str) -> String {
    action.to_uppercase().replace(['-', '.'], "_")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number <= LONGEST);
    let number = number
        .ok_or_else(|| format!("write seconds, more than 0 and at most {LONGEST}, such as 4.0"));
    number.map(Duration::from_secs_f64)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("write true or false".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(minimum: &str, channel: &str, variables: &[(&str, &str)]) -> Routes {
        let pager = format!(r#"{{"kind": "webhook", "url_env": "PAGER"{channel}}}"#);
        let text = format!(
            r#"{{{minimum}"channels": {{"pager": {pager}}},
               "actions": {{"risk.stop-loss": {{"title": "x"}}}}}}"#
        );
        let alerts: Alerts = serde_json::from_str(&text).expect("a policy's alerts");
        let variables = variables.iter().map(|(name, text)| ((*name).into(), Some((*text).into())));
        Routes::of(&alerts, &variables.collect(), &["handoff-stale"])
    }

    /// R003-25: the environment's minimum, else the channel's, else the policy's, else a warning.
    #[test]
    fn the_nearest_minimum_counts() {
        let least = |minimum: &str, channel: &str, variables: &[(&str, &str)]| {
            let routes = routes(minimum, channel, variables);
            (routes.routes[0].least, routes.least)
        };
        use AlertSeverity::{Critical, Debug, Error, Info, Warning};
        let (policy, channel) = (r#""min_severity": "error","#, r#", "min_severity": "critical""#);
        assert_eq!(least("", "", &[]), (Warning, Warning));
        assert_eq!(least(policy, "", &[]), (Error, Error));
        assert_eq!(least(policy, channel, &[]), (Critical, Error));
        assert_eq!(least(policy, channel, &[("ALERT_MIN_SEVERITY", " Info ")]), (Info, Info));
        assert_eq!(least("", channel, &[("ALERT_MIN_SEVERITY", "debug")]), (Debug, Debug));
    }

    /// Dots and dashes are no letters of a variable; what names nothing is told with what does.
    #[test]
    fn variables_name_actions_in_capitals() {
        let set = [
            ("ALERT_SEVERITY_RISK_STOP_LOSS", "critical"),
            ("ALERT_SEVERITY_HANDOF_STALE", "info"),
        ];
        let routes = routes("", "", &set);
        assert_eq!(routes.severities["RISK_STOP_LOSS"], AlertSeverity::Critical);
        let near = "ALERT_SEVERITY_HANDOF_STALE is about no action of the policy; did you mean \
                    ALERT_SEVERITY_HANDOFF_STALE?";
        assert_eq!(routes.strange, [near]);
    }

    /// R003-25: a word that nobody knows changes nothing, and is answered with those that are known.
    #[test]
    fn a_typo_counts_for_nothing() {
        let set = [("ALERT_MIN_SEVERITY", "critcal"), ("ALERT_SEVERITY_RISK_STOP_LOSS", "loud")];
        let routes = routes(r#""min_severity": "info","#, "", &set);
        assert_eq!(routes.least, AlertSeverity::Info);
        assert!(routes.severities.is_empty());
        let words = "counts for nothing: write debug, info, warning, error or critical";
        let near = format!("ALERT_MIN_SEVERITY {words}; did you mean critical?");
        assert_eq!(routes.strange, [near, format!("ALERT_SEVERITY_RISK_STOP_LOSS {words}")]);
    }

    /// No error and no picture of a route holds what a variable says.
    #[test]
    fn an_address_is_shown_nowhere() {
        let routes = routes("", "", &[("PAGER", "https://x/T0KEN")]);
        assert!(!format!("{routes:?}").contains("T0KEN"));
        assert_eq!(
            routes.routes[0].address.as_ref().and_then(Address::secret),
            Some("https://x/T0KEN")
        );
        for seconds in ["0", "-1", "NaN", "1e9", "soon"] {
            assert!(self::seconds(seconds).is_err(), "{seconds}");
        }
        assert_eq!(self::seconds("0.25"), Ok(Duration::from_millis(250)));
    }
}
