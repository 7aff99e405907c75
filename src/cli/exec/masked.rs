//! Secrets of the environment, kept out of what is told and recorded of a program's output: a record can never
//! be taken back.

use std::collections::BTreeMap;

/// A shorter value stands for too many words that are no secret.
const SHORTEST: usize = 8;
/// What the name of a variable holds that keeps a secret.
const NAMES: [&str; 6] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "CREDENTIAL"];

/// Gives a text in which the values of this process's secret variables are their names.
pub(super) fn masked(text: &str) -> String {
    hide(
        text,
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

fn hide(text: &str, variables: impl Iterator<Item = (String, String)>) -> String {
    // The longest first: one may hold another.
    let mut secrets: BTreeMap<(std::cmp::Reverse<usize>, String), String> = BTreeMap::new();
    for (name, value) in variables.filter(|(name, _)| is_secret(name)) {
        let password = value.split_once("://").and_then(|(_, rest)| {
            let (user, _) = rest.rsplit_once('@')?;
            Some(user.split_once(':')?.1.to_owned())
        });
        for secret in [Some(value), password].into_iter().flatten() {
            if secret.len() >= SHORTEST {
                secrets.insert((std::cmp::Reverse(secret.len()), secret), format!("[{name}]"));
            }
        }
    }
    secrets.iter().fold(text.to_owned(), |text, ((_, secret), name)| text.replace(secret, name))
}

/// Tells whether a variable holds a secret, by its name: addresses of alerts do.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.starts_with("ALERT_") && name.ends_with("URL"))
        || name.ends_with("WEBHOOK")
        || NAMES.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_by_its_name() {
        let variables = [
            ("ALERT_SMTP_URL", "smtps://ops:hunter2hunter2@mail.example"),
            ("BROKER_API_KEY", "k-123456789"),
            ("SHORT_TOKEN", "yes"),
            ("HOME", "/home/ops-and-more"),
        ];
        let told = |text: &str| {
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            hide(text, variables.into_iter())
        };
        let output = "posting to smtps://ops:hunter2hunter2@mail.example with k-123456789, yes";
        assert_eq!(told(output), "posting to [ALERT_SMTP_URL] with [BROKER_API_KEY], yes");
        assert_eq!(told("535 bad password hunter2hunter2"), "535 bad password [ALERT_SMTP_URL]");
        assert_eq!(told("/home/ops-and-more"), "/home/ops-and-more");
    }
}
