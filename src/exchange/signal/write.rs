//! A handoff to a Markdown signal that reads back as the same.

use super::super::Signal;
use super::super::labels::{ARTIFACTS, CONTEXT, DELIVERABLES};
use super::{HEADING, OWN, SEALED};
use crate::record::kind::{Bundle, Handoff, HandoffStatus, Note};
use crate::source::path::unprintable;

/// The labels of the head, which a note there may not be mistaken for.
const HEAD: [&str; 6] = ["from", "to", "task", "task id", "stage", "status"];

/// Writes the signal.
pub(in crate::exchange) fn write(handoff: &Handoff) -> String {
    let signal = Signal::of(handoff);
    let mut page = Page { text: String::from("## Agent Handoff Signal\n\n") };
    page.head(handoff, &signal);
    page.section("Message");
    page.text.push_str(&escaped(&handoff.message, Place::Paragraph));
    page.text.push('\n');
    page.deliverables(&signal);
    page.context(&signal);
    page.artifacts(handoff, &signal);
    page.list("Next Steps", &signal.next_steps);
    page.list("Resolves", &signal.resolves);
    page.bundle(signal.bundle.as_ref());
    page.other_sections(&signal.notes);
    page.text
}

struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, handoff: &Handoff, signal: &Signal) {
        let status = match handoff.status {
            HandoffStatus::Complete => "COMPLETE",
            HandoffStatus::Blocked => "BLOCKED",
            HandoffStatus::Partial => "PARTIAL",
        };
        for (label, value) in [
            ("From", handoff.from.as_str()),
            ("To", handoff.to.as_str()),
            ("Task", handoff.task_id.as_str()),
            ("Stage", handoff.stage.as_str()),
            ("Status", status),
        ] {
            self.text.push_str(&format!("**{label}**: {value}\n"));
        }
        for note in signal.notes.iter().filter(|note| note.section.is_none()) {
            self.text.push_str(&said(note, Place::Line, &HEAD));
            self.text.push('\n');
        }
    }

    fn section(&mut self, heading: &str) {
        self.text.push_str(&format!("\n### {heading}\n\n"));
    }

    fn deliverables(&mut self, signal: &Signal) {
        let part = &signal.deliverables;
        let results = part.test_results.as_slice();
        let notes = notes_of(signal, DELIVERABLES);
        self.bullets(
            "Deliverables",
            &notes,
            &[],
            &[
                ("Created/Modified", &part.created_or_modified),
                ("Test Results", results),
                ("Key Findings", &part.key_findings),
            ],
        );
    }

    fn context(&mut self, signal: &Signal) {
        let part = &signal.context;
        let notes = notes_of(signal, CONTEXT);
        self.bullets(
            "Context for Next Agent",
            &notes,
            &[],
            &[
                ("Prerequisites Met", &part.prerequisites_met),
                ("Known Issues", &part.known_issues),
                ("Recommended Actions", &part.recommended_actions),
            ],
        );
    }

    fn artifacts(&mut self, handoff: &Handoff, signal: &Signal) {
        let part = &signal.changes;
        let sealed: Vec<String> = handoff
            .artifacts
            .iter()
            .map(|one| format!("{} as {}, {}", one.path, one.name, one.checksum))
            .collect();
        let notes = notes_of(signal, ARTIFACTS);
        self.bullets(
            "Artifacts",
            &notes,
            &sealed,
            &[
                ("Output Location", part.output_location.as_slice()),
                ("Dependencies Added", &part.dependencies_added),
                ("Configuration Changes", &part.configuration),
            ],
        );
    }

    /// Writes a section of bullets, if it says anything.
    fn bullets(
        &mut self,
        heading: &str,
        notes: &[&Note],
        sealed: &[String],
        fields: &[(&str, &[String])],
    ) {
        if notes.is_empty() && sealed.is_empty() && fields.iter().all(|(_, said)| said.is_empty()) {
            return;
        }
        self.section(heading);
        for said in sealed {
            self.text.push_str(&format!("- Sealed: {}\n", escaped(said, Place::Value)));
        }
        for (label, said) in fields {
            match said {
                [] => {}
                // A comma would part it in two.
                [one] if !one.contains(',') => {
                    self.text.push_str(&format!("- {label}: {}\n", escaped(one, Place::Value)));
                }
                _ => {
                    self.text.push_str(&format!("- {label}:\n"));
                    for one in *said {
                        self.text.push_str(&format!("  - {}\n", escaped(one, Place::Nested)));
                    }
                }
            }
        }
        for note in notes {
            self.text.push_str(&format!("- {}\n", said(note, Place::Bullet, &[SEALED])));
        }
    }

    fn list(&mut self, heading: &str, said: &[String]) {
        if said.is_empty() {
            return;
        }
        self.section(heading);
        for one in said {
            self.text.push_str(&format!("- {}\n", escaped(one, Place::Bullet)));
        }
    }

    fn bundle(&mut self, bundle: Option<&Bundle>) {
        let Some(bundle) = bundle else { return };
        self.section("Bundle");
        let path = bundle.artifact_path.to_string();
        for (key, value) in [
            ("repository", bundle.repository.as_str()),
            ("base", &bundle.base),
            ("head", &bundle.head),
            ("candidateId", bundle.candidate_id.as_str()),
            ("stage", bundle.stage.as_str()),
            ("artifactPath", &path),
        ] {
            self.text.push_str(&format!("- {key}: {}\n", escaped(value, Place::Value)));
        }
    }

    fn other_sections(&mut self, notes: &[Note]) {
        let known = [DELIVERABLES, CONTEXT, ARTIFACTS];
        let other = |note: &&Note| note.section.as_deref().is_some_and(|s| !known.contains(&s));
        let notes: Vec<&Note> = notes.iter().filter(other).collect();
        for section in notes.chunk_by(|one, next| one.section == next.section) {
            let heading = section[0].section.as_deref().unwrap_or_default();
            self.section(&unmistaken(heading, Place::Line, &[&OWN[..], &[HEADING]].concat()));
            for note in section {
                self.text.push_str(&format!("- {}\n", said(note, Place::Bullet, &[])));
            }
        }
    }
}

fn notes_of<'s>(signal: &'s Signal, section: &str) -> Vec<&'s Note> {
    signal.notes.iter().filter(|note| note.section.as_deref() == Some(section)).collect()
}

/// Gives a note as a line says it; its label is none of the `taken` words.
fn said(note: &Note, place: Place, taken: &[&str]) -> String {
    match &note.label {
        Some(label) => {
            let value = if place == Place::Line { Place::Line } else { Place::Value };
            let label = unmistaken(label, Place::Line, taken);
            format!("{label}: {}", escaped(&note.text, value)).trim_end_matches(' ').to_owned()
        }
        None => escaped(&note.text, place),
    }
}

/// Gives a text of which a reader can tell that it is none of the words that mean something here.
fn unmistaken(text: &str, place: Place, taken: &[&str]) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if taken.contains(&text.to_lowercase().as_str()) => {
            format!("{}{}", entity(first), escaped(characters.as_str(), place))
        }
        _ => escaped(text, place),
    }
}

/// Where a text is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A paragraph of its own, of one line or more.
    Paragraph,
    /// A bullet of its own, without a label.
    Bullet,
    /// A bullet below another.
    Nested,
    /// Behind a label.
    Value,
    /// A line that can't be broken, and may be a label.
    Line,
}

/// Writes a text so that it is read as itself.
fn escaped(text: &str, place: Place) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| characters.get(index)).copied();
    let mut written = String::with_capacity(text.len());
    let mut line = String::new();
    for (index, character) in characters.iter().copied().enumerate() {
        let (before, behind) = (at(index.checked_sub(1)), at(Some(index + 1)));
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        if character == '\n' && !blank(before) && !blank(behind) && place != Place::Line {
            let indent = match place {
                Place::Paragraph | Place::Line => "",
                Place::Bullet | Place::Value => "  ",
                Place::Nested => "    ",
            };
            written.push_str(&format!("\\\n{indent}"));
            line.clear();
            continue;
        }
        let edge = line.is_empty() || behind.is_none() || before.is_none();
        if character == ' ' && (edge || behind == Some('\n')) || unprintable(character) {
            written.push_str(&entity(character));
        } else {
            if is_active(character, before, behind, &line, place) {
                written.push('\\');
            }
            written.push(character);
        }
        line.push(character);
    }
    written
}

fn entity(character: char) -> String {
    format!("&#{};", u32::from(character))
}

/// Tells whether Markdown, or a reader of signals, would take a character for more than itself.
fn is_active(
    character: char,
    before: Option<char>,
    behind: Option<char>,
    line: &str,
    place: Place,
) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match character {
        '\\' | '`' | '*' | '[' | ']' => true,
        '_' => !(word(before) && word(behind)),
        '<' => behind.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
        '&' => behind.is_some_and(|c| c.is_ascii_alphanumeric() || c == '#'),
        '#' => before.is_none_or(char::is_whitespace) || line.is_empty(),
        '-' | '+' | '>' | '=' | '~' | '|' => line.is_empty(),
        '.' | ')' => !line.is_empty() && line.chars().all(|c| c.is_ascii_digit()),
        ':' => place != Place::Value && behind.is_none_or(char::is_whitespace),
        _ => false,
    }
}
