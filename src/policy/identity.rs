//! What proves that a commit or a record is an agent's own, and who must sign.

use std::collections::BTreeSet;

use super::model::{Model, Signatures};
use super::terms::Problems;
use crate::keys::Fingerprint;
use crate::record::did_you_mean;
use crate::record::kind::Payload;
use crate::source::{AgentName, StageName};

/// Everything that proves a commit or a record to be one agent's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    /// E-mail addresses, in lower case. Anybody can write one into a commit.
    pub emails: BTreeSet<String>,
    /// SSH keys.
    pub keys: BTreeSet<Fingerprint>,
    /// Fingerprints of OpenPGP keys, in upper case.
    pub openpgp: BTreeSet<String>,
}

impl Identities {
    /// Tells whether nothing binds the agent.
    pub fn is_empty(&self) -> bool {
        *self == Identities::default()
    }

    /// Tells whether one thing proves two agents.
    pub fn meets(&self, other: &Identities) -> bool {
        !self.emails.is_disjoint(&other.emails)
            || !self.keys.is_disjoint(&other.keys)
            || !self.openpgp.is_disjoint(&other.openpgp)
    }

    /// Takes one in; gives back what is none.
    pub(super) fn add<'t>(&mut self, text: &'t str) -> Result<(), &'t str> {
        if let Some(key) = Fingerprint::parse(text) {
            self.keys.insert(key);
        } else if let Some(digits) = text.strip_prefix("openpgp:") {
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !hex || ![40, 64].contains(&digits.len()) {
                return Err(text);
            }
            self.openpgp.insert(digits.to_ascii_uppercase());
        } else {
            let parts =
                text.split_once('@').filter(|(name, host)| !(name.is_empty() || host.is_empty()));
            if parts.is_none() || text.contains(char::is_whitespace) {
                return Err(text);
            }
            self.emails.insert(text.to_lowercase());
        }
        Ok(())
    }

    /// Gives all of them, as the policy may spell them.
    pub fn listed(&self) -> Vec<String> {
        let keys = self.keys.iter().map(ToString::to_string);
        let openpgp = self.openpgp.iter().map(|digits| format!("openpgp:{digits}"));
        self.emails.iter().cloned().chain(keys).chain(openpgp).collect()
    }
}

/// Which records must be signed.
#[derive(Debug, Clone, Default)]
pub struct SignatureRule {
    agents: BTreeSet<AgentName>,
    kinds: BTreeSet<String>,
    stages: BTreeSet<StageName>,
}

impl SignatureRule {
    pub(super) fn new(model: Signatures) -> Self {
        SignatureRule {
            agents: model.agents.into_iter().collect(),
            kinds: model.kinds.into_iter().collect(),
            stages: model.stages.into_iter().collect(),
        }
    }

    /// Tells why a record of this agent and kind, in this stage if it is in one, must be signed;
    /// none if it need not be.
    pub fn asks(&self, actor: &AgentName, kind: &str, stage: Option<&StageName>) -> Option<String> {
        if self.agents.contains(actor) {
            return Some(format!("records of `{actor}`"));
        }
        if self.kinds.contains(kind) {
            return Some(format!("records of kind `{kind}`"));
        }
        let stage = stage.filter(|stage| self.stages.contains(*stage))?;
        Some(format!("records of stage `{stage}`"))
    }
}

/// Gives what is wrong with identities, principals, and who must sign.
pub(super) fn problems(model: &Model, problems: &mut Problems<'_>) {
    for (name, agent) in &model.agents {
        for (index, text) in agent.identities.iter().enumerate() {
            if let Err(text) = Identities::default().add(text) {
                let field = format!("agents.{name}.identities.{index}");
                let help = "write an address such as ada@example.org, a public key such as \
                            `ssh-ed25519 AAAA…`, its `SHA256:…`, or `openpgp:` and 40 hex digits";
                problems.at(&field, format!("`{text}` is no identity"), help);
            }
        }
        if agent.principal.as_ref().is_some_and(|principal| principal.trim().is_empty()) {
            let message = format!("the principal of `{name}` has no name");
            problems.at(&format!("agents.{name}.principal"), message, "name it, or drop the line");
        }
    }
    let Signatures { agents, kinds, stages } = &model.signatures;
    let known: Vec<&str> = model.agents.keys().map(AgentName::as_str).collect();
    named("agents", "agent", agents.iter().map(AgentName::as_str), &known, problems);
    named("kinds", "kind of record", kinds.iter().map(String::as_str), Payload::WORDS, problems);
    let known: Vec<&str> = model
        .workflows
        .values()
        .flat_map(|workflow| workflow.stages.iter().map(|stage| stage.name.as_str()))
        .collect();
    named("stages", "stage", stages.iter().map(StageName::as_str), &known, problems);
}

fn named<'n>(
    list: &str,
    what: &str,
    names: impl Iterator<Item = &'n str>,
    known: &[&str],
    problems: &mut Problems<'_>,
) {
    for (index, name) in names.enumerate().filter(|(_, name)| !known.contains(name)) {
        let near = did_you_mean(name, known.iter().copied());
        let help = near.map_or("name one that is there".into(), |n| format!("did you mean `{n}`?"));
        let field = format!("signatures.{list}.{index}");
        problems.at(&field, format!("there is no {what} `{name}`"), help);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::strategy_problems as problems_of;

    const FOUNDER: &str = "founder: {lanes: [F], human: true}";

    fn founder(more: &str) -> Vec<String> {
        problems_of(FOUNDER, &format!("founder: {{lanes: [F], human: true, {more}}}"))
    }

    #[test]
    fn an_identity_is_an_address_or_a_key() {
        for fine in [
            "ada@example.org",
            "SHA256:l6G1G4fdKkxm2Xqr3gAlFdSweqA5CgUzc8GhUUl4dNg",
            "openpgp:0123456789abcdef0123456789ABCDEF01234567",
        ] {
            assert_eq!(founder(&format!("identities: ['{fine}']")), Vec::<String>::new(), "{fine}");
        }
        for none in ["ada", "@example.org", "a b@x.org", "SHA256:x", "openpgp:0123", "ssh-rsa AAAA"]
        {
            let found = founder(&format!("identities: ['{none}']"));
            assert!(found[0].contains("is no identity"), "{none}: {found:?}");
        }
        assert!(founder("principal: ' '")[0].contains("has no name"));
    }

    #[test]
    fn who_must_sign_is_there() {
        let asks =
            |rule: &str| problems_of("version: 1", &format!("version: 1\nsignatures: {rule}"));
        let fine = "{agents: [founder], kinds: [approval, decision], stages: [deploy_live]}";
        assert_eq!(asks(fine), Vec::<String>::new());
        for (rule, told) in [
            ("{agents: [foundr]}", "did you mean `founder`?"),
            ("{kinds: [aproval]}", "did you mean `approval`?"),
            ("{stages: [deploy-live]}", "did you mean `deploy_live`?"),
            ("{stage: [deploy_live]}", "did you mean `stages`?"),
        ] {
            let found = asks(rule);
            assert!(found[0].contains(told), "{rule}: {found:?}");
        }
    }
}
