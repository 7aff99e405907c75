//! What a handoff tells its receiver beside the artifacts: flags in the words of the Markdown signal
//! (R002-11 to R002-13), and the check that the places it names are there (R002-25).

use super::Stop;
use crate::exchange::{Location, Signal};
use crate::record::kind::{Artifact, Handoff};
use crate::snapshot::{GitRepository, Mode, Node, Repository as _, Side};
use crate::source::RepoPath;

#[derive(Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "What the receiver should know")]
pub(super) struct Told {
    /// What was made, in words or as LABEL: TEXT; may be given several times, as all but two of these
    #[arg(long, value_name = "TEXT")]
    deliverable: Vec<String>,
    /// A file created or modified; with its line or lines, as PATH:26 or PATH:26-40
    #[arg(long, value_name = "PATH[:LINE]", value_parser = Location::parse)]
    created: Vec<Location>,
    /// How the tests went; once
    #[arg(long, value_name = "TEXT")]
    test_results: Option<String>,
    /// What was found
    #[arg(long, value_name = "TEXT")]
    key_finding: Vec<String>,
    /// What holds already
    #[arg(long, value_name = "TEXT")]
    prerequisite_met: Vec<String>,
    /// What does not hold yet; `none` if all does
    #[arg(long, value_name = "TEXT")]
    known_issue: Vec<String>,
    /// What to do about it
    #[arg(long, value_name = "TEXT")]
    recommended_action: Vec<String>,
    /// Where the output is, if not in the artifacts; once
    #[arg(long, value_name = "TEXT")]
    output_location: Option<String>,
    /// A dependency that was added
    #[arg(long, value_name = "TEXT")]
    dependency_added: Vec<String>,
    /// A configuration that was changed
    #[arg(long, value_name = "TEXT")]
    configuration_change: Vec<String>,
}

impl Told {
    /// Puts it into a handoff.
    pub(super) fn into(self, handoff: &mut Handoff) {
        let mut signal = Signal::of(handoff);
        for bullet in &self.deliverable {
            signal.deliver(bullet);
        }
        let made = self.created.iter().map(Location::to_string);
        signal.deliverables.created_or_modified.extend(made);
        signal.deliverables.key_findings.extend(self.key_finding);
        if self.test_results.is_some() {
            signal.deliverables.test_results = self.test_results;
        }
        signal.context.prerequisites_met = self.prerequisite_met;
        signal.context.known_issues = self.known_issue;
        signal.context.recommended_actions = self.recommended_action;
        signal.changes.output_location = self.output_location;
        signal.changes.dependencies_added = self.dependency_added;
        signal.changes.configuration = self.configuration_change;
        signal.tell(handoff);
    }
}

/// Gives the files that a handoff says were created or modified.
pub(super) fn made(handoff: &Handoff) -> &[String] {
    handoff.deliverables.as_ref().map_or(&[], |part| &part.created_or_modified)
}

/// Refuses a deliverable at a place that is not there: every file among those created or modified
/// is staged, or is one of the files to be sealed, and has the line that is named.
pub(super) fn must_be_there(
    repository: &GitRepository,
    made: &[String],
    sealed: &[(Artifact, Node)],
) -> Result<(), Stop> {
    for place in made.iter().filter_map(|said| Location::of_words(said)) {
        let place = place.map_err(|reason| {
            Stop::fault(reason, "write PATH, PATH:LINE or PATH:LINE-LINE, from the top")
        })?;
        let node = sealed.iter().find(|(artifact, _)| artifact.path == place.path);
        let node = match node {
            Some((_, node)) => Some(*node),
            None => repository.node(Side::Index, &place.path)?,
        };
        let lines = node.map(|node| lines_of(repository, &place.path, node)).transpose()?;
        absent(&place, lines)?;
    }
    Ok(())
}

/// Refuses a place by the number of lines that its file has; none if there is no file.
fn absent(place: &Location, lines: Option<usize>) -> Result<(), Stop> {
    let Some(lines) = lines else {
        let path = &place.path;
        let message = format!("the handoff names `{place}`, and Git holds no `{path}`");
        let help = format!("`git add {}` if it is there; else correct the path", path.in_shell());
        return Err(Stop::denied(message, help));
    };
    match place.lines {
        Some((_, last)) if usize::try_from(last).is_ok_and(|last| last > lines) => {
            let message =
                format!("the handoff names `{place}`, and that file ends at line {lines}");
            let help = format!(
                "name a line that is there; or stage what it means: `git add {}`",
                place.path.in_shell()
            );
            Err(Stop::denied(message, help))
        }
        _ => Ok(()),
    }
}

fn lines_of(repository: &GitRepository, path: &RepoPath, node: Node) -> Result<usize, Stop> {
    if !matches!(node.mode, Mode::File | Mode::Executable) {
        let message = format!("the handoff names `{path}`, which is no plain file");
        return Err(Stop::denied(message, "name a file that Git holds itself"));
    }
    let bytes = repository.read(node.oid)?;
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    let unended = bytes.last().is_some_and(|last| *last != b'\n');
    Ok(ends + usize::from(unended))
}
