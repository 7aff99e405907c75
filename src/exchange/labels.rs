//! Which field a bullet of a handoff belongs to, by its section and its label.

use super::Signal;
use crate::record::kind::Note;

/// The section of what was made (R002-11), as notes name it.
pub(super) const DELIVERABLES: &str = "deliverables";
/// The section of what the receiver should know (R002-12).
pub(super) const CONTEXT: &str = "context";
/// The section of what changed around the work (R002-13).
pub(super) const ARTIFACTS: &str = "artifacts";

/// A field that a label names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Made,
    TestResults,
    Findings,
    Prerequisites,
    Issues,
    Actions,
    Output,
    Dependencies,
    Configuration,
}

/// Sections, the labels known there in the singular, and what they name; the first label of a field
/// is the one that is written.
const KNOWN: &[(&str, &str, Field)] = &[
    (DELIVERABLES, "created/modified", Field::Made),
    (DELIVERABLES, "created", Field::Made),
    (DELIVERABLES, "modified", Field::Made),
    (DELIVERABLES, "test result", Field::TestResults),
    (DELIVERABLES, "key finding", Field::Findings),
    (CONTEXT, "prerequisite met", Field::Prerequisites),
    (CONTEXT, "prerequisites met", Field::Prerequisites),
    (CONTEXT, "known issue", Field::Issues),
    (CONTEXT, "recommended action", Field::Actions),
    (ARTIFACTS, "output location", Field::Output),
    (ARTIFACTS, "dependency added", Field::Dependencies),
    (ARTIFACTS, "dependencies added", Field::Dependencies),
    (ARTIFACTS, "configuration change", Field::Configuration),
    (ARTIFACTS, "configuration", Field::Configuration),
];

/// Gives the field that a label names in a section; the plural is the same as the singular.
pub(super) fn field_of(section: Option<&str>, label: &str) -> Option<Field> {
    let label = label.trim().to_lowercase();
    let singular = label.strip_suffix('s').unwrap_or(&label);
    let known = KNOWN.iter().find(|(place, known, _)| {
        Some(*place) == section && (*known == label || *known == singular)
    });
    known.map(|(_, _, field)| *field)
}

/// Gives the section that a heading names: one of the three, or its own words.
pub(super) fn section_of(heading: &str) -> String {
    match heading.trim().to_lowercase().as_str() {
        "deliverables" => DELIVERABLES.into(),
        "context" | "context for next agent" | "context for the next agent" => CONTEXT.into(),
        "artifacts" => ARTIFACTS.into(),
        _ => heading.to_owned(),
    }
}

impl Signal {
    /// Puts values into a field, behind what is there; a field of one text gets a line for each.
    pub(super) fn fill(&mut self, field: Field, values: Vec<String>) {
        let list = match field {
            Field::Made => &mut self.deliverables.created_or_modified,
            Field::Findings => &mut self.deliverables.key_findings,
            Field::Prerequisites => &mut self.context.prerequisites_met,
            Field::Issues => &mut self.context.known_issues,
            Field::Actions => &mut self.context.recommended_actions,
            Field::Dependencies => &mut self.changes.dependencies_added,
            Field::Configuration => &mut self.changes.configuration,
            Field::TestResults => return add_lines(&mut self.deliverables.test_results, values),
            Field::Output => return add_lines(&mut self.changes.output_location, values),
        };
        list.extend(values);
    }

    /// Files each note where it belongs: in a field, if its label names one; else among the notes,
    /// which stand by section, the three known ones first.
    pub(super) fn settle(&mut self) {
        let mut sections: Vec<Option<String>> =
            [None, Some(DELIVERABLES), Some(CONTEXT), Some(ARTIFACTS)]
                .map(|section| section.map(str::to_owned))
                .into();
        let mut placed: Vec<(usize, Note)> = Vec::new();
        for mut note in std::mem::take(&mut self.notes) {
            let section = note.section.filter(|section| !section.is_empty());
            note.section = section.map(|section| section_of(&section));
            note.label = note.label.filter(|label| !label.is_empty());
            let label = note.label.as_deref();
            match label.and_then(|label| field_of(note.section.as_deref(), label)) {
                Some(field) => self.fill(field, vec![note.text]),
                None => {
                    let known = sections.iter().position(|section| *section == note.section);
                    let at = known.unwrap_or_else(|| {
                        sections.push(note.section.clone());
                        sections.len() - 1
                    });
                    placed.push((at, note));
                }
            }
        }
        placed.sort_by_key(|(at, _)| *at);
        self.notes = placed.into_iter().map(|(_, note)| note).collect();
    }

    /// Takes a deliverable as a bullet says it, `LABEL: TEXT` or words alone.
    pub fn deliver(&mut self, bullet: &str) {
        let (label, text) = match bullet.split_once(": ") {
            Some((label, text)) if !label.trim().is_empty() => (Some(label.trim()), text.trim()),
            _ => (None, bullet.trim()),
        };
        self.notes.push(Note {
            section: Some(DELIVERABLES.into()),
            label: label.map(str::to_owned),
            text: text.to_owned(),
        });
        self.settle();
    }
}

fn add_lines(text: &mut Option<String>, values: Vec<String>) {
    for value in values {
        match text {
            Some(text) => {
                text.push('\n');
                text.push_str(&value);
            }
            None => *text = Some(value),
        }
    }
}
