//! `orch init --ci`: what a CI service needs, so that every change is judged there as well.

use std::path::Path;
use std::str::FromStr;

use super::Stop;
use super::output::{complain_lines, say};
use crate::policy::Policy;

/// A service that judges what is proposed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Service {
    /// A workflow of GitHub Actions, with the action that it uses
    Github,
    /// A job for GitLab's pipelines
    Gitlab,
}

/// Where a runner gets orch from: a repository, and a commit of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    repository: String,
    commit: String,
}

impl FromStr for Source {
    type Err = &'static str;

    /// Takes `OWNER/NAME@COMMIT` or `URL@COMMIT`. What it says stands in a script, and must be words there.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (repository, commit) = text.rsplit_once('@').ok_or("write OWNER/NAME@COMMIT")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
        let parts: Vec<&str> = repository.split('/').collect();
        let named = match parts[..] {
            [scheme, "", _, ref path @ ..] => {
                scheme.len() > 1 && scheme.ends_with(':') && !path.is_empty() && !path.contains(&"")
            }
            [owner, name] => !owner.is_empty() && !name.is_empty() && !repository.contains(':'),
            _ => false,
        };
        if !named || !repository.chars().all(plain) || repository.starts_with('-') {
            return Err("name a repository as OWNER/NAME or by its address");
        }
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if ![40, 64].contains(&commit.len()) || !commit.chars().all(digit) {
            return Err("name a commit by all its digits: a branch or a tag may be moved");
        }
        Ok(Source { repository: repository.to_owned(), commit: commit.to_owned() })
    }
}

/// The action's files, as a workflow of the same repository finds them.
const ACTION: [(&str, &str); 2] = [
    (
        ".github/actions/transition-guard/action.yml",
        include_str!("../../.github/actions/transition-guard/action.yml"),
    ),
    (
        ".github/actions/transition-guard/guard.sh",
        include_str!("../../.github/actions/transition-guard/guard.sh"),
    ),
];
const WORKFLOW: (&str, &str) =
    (".github/workflows/orch.yml", include_str!("../../templates/ci/github.yml"));
const PIPELINE: (&str, &str) = (".gitlab-ci.yml", include_str!("../../templates/ci/gitlab.yml"));

impl Service {
    /// Gives the files that the service reads, by their names below the top: first the one that others may
    /// have written, too.
    pub(super) fn files(self, source: Option<&Source>, policy: &Policy) -> Vec<(String, String)> {
        let own = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        match self {
            Service::Github => {
                let workflow = (WORKFLOW.0.to_owned(), workflow(source, policy));
                std::iter::once(workflow).chain(ACTION.map(own)).collect()
            }
            Service::Gitlab => vec![(PIPELINE.0.to_owned(), pipeline(source))],
        }
    }

    /// Refuses to write over what somebody else had written, and tells what to add to it. `replace` says that
    /// files which bear our own name may be written anew.
    pub(super) fn spare(
        self,
        top: &Path,
        files: &[(String, String)],
        replace: bool,
    ) -> Result<(), Stop> {
        let other = files.iter().find(|(name, text)| {
            let place = top.join(name);
            let there = place.exists() || place.is_symlink();
            there && !std::fs::read(place).is_ok_and(|bytes| bytes == text.as_bytes())
        });
        let Some((name, text)) = other.filter(|_| !replace || self == Service::Gitlab) else {
            return Ok(());
        };
        let help = match self {
            Service::Gitlab => "add the job above to it",
            Service::Github => {
                "make it the above, or have it replaced: `orch init --ci github --force`"
            }
        };
        complain_lines(format!("{name}, as orch would write it:\n\n{text}"));
        Err(Stop::denied(format!("{name} is there already, and was left as it is"), help))
    }
}

/// Says what is missing yet: an orch for the runners.
pub(super) fn tell_source(source: Option<&Source>) {
    if source.is_none() {
        say(format!(
            "note: its runners must have orch {}; `--source OWNER/NAME@COMMIT` has them build it",
            env!("CARGO_PKG_VERSION")
        ));
    }
}

fn workflow(source: Option<&Source>, policy: &Policy) -> String {
    let source = match source {
        Some(Source { repository, commit }) => {
            format!("          source: {repository}@{commit}\n")
        }
        None => String::new(),
    };
    let branches = branches(policy).map(|list| format!("    branches: [{list}]\n"));
    WORKFLOW
        .1
        .replace("    branches: [main]\n", &branches.unwrap_or_default())
        .replace("version: VERSION", concat!("version: ", env!("CARGO_PKG_VERSION")))
        .replace("          source: SOURCE\n", &source)
}

/// Gives the protected branches as a list of GitHub's patterns; none if one of them can't be said so. Then the
/// workflow runs for all branches.
fn branches(policy: &Policy) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    let branches = policy.protected_branches();
    let quoted = branches.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
    branches.iter().all(|name| name.chars().all(plain)).then(|| quoted.join(", "))
}

fn pipeline(source: Option<&Source>) -> String {
    let before = "  before_script:\n    - command -v orch || cargo install --locked --git SOURCE --rev COMMIT orch\n";
    let image = "  image: rust:1\n";
    let Some(Source { repository, commit }) = source else {
        return PIPELINE.1.replace(before, "").replace(image, "");
    };
    let address = match repository.contains("://") {
        true => repository.clone(),
        false => format!("https://github.com/{repository}"),
    };
    PIPELINE.1.replace("--git SOURCE --rev COMMIT", &format!("--git {address} --rev {commit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_pinned_and_plain() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for good in ["acme/orch", "https://git.example.org/acme/orch.git", "file:///srv/orch"] {
            assert!(format!("{good}@{commit}").parse::<Source>().is_ok(), "{good}");
        }
        for bad in ["acme/orch", "acme/orch@main", "acme/orch@v0.1.0", "acme/orch@0123456"] {
            assert!(bad.parse::<Source>().is_err(), "{bad}");
        }
        for bad in [
            "orch",
            "a/b; id",
            "a/b\n- x",
            "$(id)/x",
            "-a/b",
            "a/${{ b }}",
            "/srv/x",
            "a/",
            "https://x",
        ] {
            assert!(format!("{bad}@{commit}").parse::<Source>().is_err(), "{bad}");
        }
    }
}
