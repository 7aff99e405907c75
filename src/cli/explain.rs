//! `orch explain`: why a check is there, with a bad and a good example.

use super::Stop;
use super::context::Context;
use super::output::{json, say_lines, table};
use crate::checks;
use crate::record::did_you_mean;
use crate::render::Format;

/// Tell why a check is there, with a bad and a good example.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch explain handoff-stale")]
pub(super) struct Explain {
    /// The check, such as handoff-stale; without it, all are listed
    check: Option<String>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(serde::Serialize)]
struct Explained {
    name: &'static str,
    group: String,
    title: &'static str,
    mandatory: bool,
    severity: crate::diagnostic::Severity,
    explain: &'static str,
}

impl Explained {
    fn of(check: &checks::Check) -> Self {
        Explained {
            name: check.name,
            group: format!("{:?}", check.group).to_lowercase(),
            title: check.title,
            mandatory: check.mandatory,
            severity: check.severity,
            explain: check.explain,
        }
    }
}

impl Explain {
    pub(super) fn run(self, _context: &Context) -> Result<(), Stop> {
        let Some(name) = &self.check else {
            list(self.format);
            return Ok(());
        };
        let Some(check) = checks::find(name) else {
            let names = checks::ALL.iter().map(|check| check.name);
            let help = match did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`orch explain` lists them".into(),
            };
            return Err(Stop::fault(format!("there is no check `{name}`"), help));
        };
        match self.format {
            Format::Json => json(&Explained::of(check)),
            Format::Human => {
                let weight = if check.mandatory { ", mandatory" } else { "" };
                say_lines(format!(
                    "{} ({:?}{weight})\n{}\n",
                    check.name, check.severity, check.title
                ));
                say_lines(check.explain);
                say_lines(LEGEND);
            }
        }
        Ok(())
    }
}

/// How to read the examples.
const LEGEND: &str = "\
Examples are told in short: each line is one step, under the `strategy` template. `done: {until: \
STAGE}`
brings the task strat-001 honestly before a stage; `run`, `handoff`, `gate` and the like record an
entry as orch would, except for what is said; `write`, `edit`, `rename`, `remove` and `link` change
files; `policy: [A, B]` puts B in A's place in the policy; `wait` lets time pass, `on` changes the
branch, `by` says who commits, and `meanwhile` lands what the proposal has not seen. What stands above
`propose: BRANCH` has landed, what stands below it is proposed; `bootstrap` proposes all of it.";

fn list(format: Format) {
    match format {
        Format::Json => {
            json(&checks::ALL.iter().map(|check| Explained::of(check)).collect::<Vec<_>>());
        }
        Format::Human => {
            let row = |check: &&checks::Check| vec![check.name.to_owned(), check.title.to_owned()];
            table(&checks::ALL.iter().map(row).collect::<Vec<_>>());
        }
    }
}
