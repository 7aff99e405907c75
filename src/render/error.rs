//! What kept orch from its work, told to people and to programs (exit code 2).

use std::collections::BTreeMap;

use serde::Serialize;

use super::picture::Picture;
use super::{Format, Style, json, text};
use crate::snapshot::Fault;

/// The code of a failure to read what was to be judged.
pub const CANNOT_LOOK: &str = "cannot-look";

/// An operational failure: nothing was judged, so it is neither a pass nor a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "orch error"))]
pub struct Failure {
    /// A stable word for what kind of failure it is.
    pub code: &'static str,
    /// What could not be done.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// Whether the same command may succeed later without any change.
    pub retryable: bool,
    /// What it was about, by name: a path, a revision, a task.
    pub context: BTreeMap<String, String>,
}

impl From<&Fault> for Failure {
    /// Takes a fault as [`CANNOT_LOOK`], not to be tried again as it is, without context.
    fn from(fault: &Fault) -> Self {
        Failure {
            code: CANNOT_LOOK,
            message: fault.message.clone(),
            hint: fault.help.clone(),
            retryable: false,
            context: BTreeMap::new(),
        }
    }
}

/// Gives a failure as text that ends with a newline: a picture, or the error object of design
/// section 7 on one line.
pub fn render_failure(failure: &Failure, format: Format, style: Style) -> String {
    match format {
        Format::Human => human(failure, style),
        Format::Json => json::line(failure),
    }
}

fn human(failure: &Failure, style: Style) -> String {
    let heading = format!("error[{}]", failure.code);
    let mut hint = failure.hint.clone();
    for (name, value) in &failure.context {
        hint.push_str(&format!("\n{name}: {}", text::one_line(value)));
    }
    let picture = Picture::new(heading, &failure.message, hint.trim_start(), style);
    text::disarm(picture.draw(style))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shallow() -> Failure {
        let fault = Fault::new(
            "this clone lacks the base commit",
            "fetch the whole history: `git fetch --unshallow`",
        );
        let context = [("revision".to_owned(), "main\u{1b}[2J".to_owned())].into();
        Failure { context, ..Failure::from(&fault) }
    }

    #[test]
    fn people_are_told_what_to_do() {
        insta::assert_snapshot!(render_failure(&shallow(), Format::Human, Style::default()), @r#"
        error[cannot-look]

          × this clone lacks the base commit
          help: fetch the whole history: `git fetch --unshallow`
                revision: main\u{1b}[2J
        "#);
    }

    #[test]
    fn programs_get_the_error_object() {
        insta::assert_snapshot!(render_failure(&shallow(), Format::Json, Style::default()), @r#"{"code":"cannot-look","message":"this clone lacks the base commit","hint":"fetch the whole history: `git fetch --unshallow`","retryable":false,"context":{"revision":"main\u001b[2J"}}"#);
    }
}
