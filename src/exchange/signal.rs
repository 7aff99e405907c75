//! The Markdown signal: `## Agent Handoff Signal`, a head of bold fields, and the sections of
//! R002-11 to R002-13 with a bullet a field. Bullets under other labels, which are the rule more
//! than the exception (R002-14), are kept under the section they stand in.

mod head;
mod write;

pub(super) use write::write;

use super::labels::{ARTIFACTS, Field, field_of, section_of};
use super::markdown::{self, Block, Kind, Letter, labelled, own_word, place, text, trim};
use super::{Claim, Location, Signal, problem};
use crate::record::kind::{Bundle, Note};
use crate::record::{Problem, did_you_mean};
use crate::source::{RepoPath, Span};

/// The heading that begins a signal, in lower case.
const HEADING: &str = "agent handoff signal";

/// The sections of what other forms say in fields of their own.
const OWN: [&str; 4] = ["message", "next steps", "resolves", "bundle"];

/// The label of an artifact that is claimed with its name and its checksum.
const SEALED: &str = "sealed";

/// The keys of a bundle, in its own spelling (R001-36).
const KEYS: [&str; 6] = ["repository", "base", "head", "candidateId", "stage", "artifactPath"];

/// Tells whether a line of the text is the heading of a signal.
pub(super) fn is_here(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let heading = line.trim_start_matches('#');
        heading.len() < line.len() && heading.trim().eq_ignore_ascii_case(HEADING)
    })
}

/// Reads the one signal of a document; what stands around it is not looked at.
pub(super) fn read(document: &str) -> Result<Signal, Vec<Problem>> {
    let blocks = markdown::blocks(document);
    let own = own_blocks(document, &blocks);
    let (heading, blocks) = own.map_err(|problem| vec![problem])?;
    let is_heading = |block: &Block| matches!(block.kind, Kind::Heading(_));
    let end = blocks.iter().position(is_heading).unwrap_or(blocks.len());
    let signal = head::read(heading, &blocks[..end])?;
    let mut sections = Sections { signal, bundle: Vec::new(), problems: Vec::new() };
    for section in blocks[end..].chunk_by(|_, next| !is_heading(next)) {
        sections.read(section);
    }
    sections.finish()
}

/// Gives the heading of a document's only signal, and the blocks that belong to it.
fn own_blocks<'b>(document: &str, blocks: &'b [Block]) -> Result<(Span, &'b [Block]), Problem> {
    let heading =
        |block: &Block| own_word(&block.words).is_some_and(|w| w.to_lowercase() == HEADING);
    let mut found = blocks.iter().enumerate().filter_map(|(index, block)| match block.kind {
        Kind::Heading(level) if heading(block) => Some((index, level)),
        _ => None,
    });
    let Some((index, level)) = found.next() else {
        let help = match is_here(document) {
            true => "take it out of its code block, so that its heading is one",
            false => "begin it with `## Agent Handoff Signal`",
        };
        return Err(problem(Span::default(), "this document has no handoff signal", help));
    };
    if let Some((second, _)) = found.next() {
        let help = "keep one signal in a file, and hand over one task after the other";
        return Err(problem(blocks[second].span, "a second signal begins here", help));
    }
    let rest = &blocks[index + 1..];
    let next = rest.iter().position(|block| matches!(block.kind, Kind::Heading(l) if l <= level));
    Ok((blocks[index].span, &rest[..next.unwrap_or(rest.len())]))
}

/// Refuses a text that was left as the template has it, such as `[file paths]`.
fn filled(letters: &[Letter], block: Span) -> Result<(), Problem> {
    let inner = match letters {
        [first, inner @ .., last] if first.character == '[' && last.character == ']' => inner,
        _ => return Ok(()),
    };
    let word = |c: char| c.is_alphabetic() || matches!(c, ' ' | '/' | '-' | '_');
    if inner.len() > 1 && letters.iter().all(|l| l.plain) && inner.iter().all(|l| word(l.character))
    {
        let message = format!("`{}` is a placeholder", text(letters));
        return Err(problem(
            place(letters, block),
            message,
            "say it in words, or leave the line out",
        ));
    }
    Ok(())
}

/// What is read of the sections, one after the other.
struct Sections {
    signal: Signal,
    bundle: Vec<(String, String, Span)>,
    problems: Vec<Problem>,
}

impl Sections {
    /// Reads a heading and the blocks below it.
    fn read(&mut self, blocks: &[Block]) {
        let Some((heading, blocks)) = blocks.split_first() else { return };
        let own = own_word(&heading.words).map(|word| word.to_lowercase());
        let section = match own.as_deref().filter(|word| OWN.contains(word)) {
            Some(own) => return self.own_section(own, blocks),
            None => section_of(&text(&heading.words)),
        };
        let nested = |block: &Block| matches!(block.kind, Kind::Item(depth) if depth > 1);
        for bullet in blocks.chunk_by(|_, next| nested(next)) {
            if let Err(problem) = self.bullet(&section, bullet) {
                self.problems.push(problem);
            }
        }
    }

    fn own_section(&mut self, own: &str, blocks: &[Block]) {
        for block in blocks {
            let said = text(&block.words);
            match own {
                "next steps" => self.signal.next_steps.push(said),
                "resolves" => self.signal.resolves.push(said),
                "bundle" => {
                    let (label, value) = labelled(&block.words);
                    let label = label.map(text).unwrap_or_default();
                    self.bundle.push((label, text(value), place(&block.words, block.span)));
                }
                _ => match &mut self.signal.message {
                    Some(message) => *message = format!("{message}\n\n{said}"),
                    None => self.signal.message = Some(said),
                },
            }
        }
    }

    /// Files a bullet, or a paragraph, with the bullets below it.
    fn bullet(&mut self, section: &str, blocks: &[Block]) -> Result<(), Problem> {
        let (first, nested) = blocks.split_first().expect("a chunk is never empty");
        let (label, value) = labelled(&first.words);
        filled(value, first.span)?;
        for block in nested {
            filled(trim(&block.words), block.span)?;
        }
        let known = label.and_then(|label| field_of(Some(section), &text(label)));
        let sealed = label.and_then(own_word).is_some_and(|word| word.to_lowercase() == SEALED);
        if sealed && section == ARTIFACTS {
            let claim = claim(&text(value));
            let help = "write it as `- Sealed: PATH as NAME, sha256:…`";
            let claim = claim.map_err(|why| problem(place(value, first.span), why, help))?;
            self.signal.artifacts.push(claim);
            return Ok(());
        }
        let parts = match known {
            Some(Field::Made) => parted(value),
            _ => vec![value],
        };
        let own = parts.into_iter().map(|part| (text(part), place(part, first.span)));
        let below = nested.iter().map(|b| (text(&b.words), place(&b.words, b.span)));
        let said: Vec<(String, Span)> =
            own.filter(|(own, _)| !own.is_empty()).chain(below).collect();
        if known == Some(Field::Made) {
            located(&said)?;
        }
        let mut said: Vec<String> = said.into_iter().map(|(said, _)| said).collect();
        match known {
            Some(field) => self.signal.fill(field, said),
            None => {
                if said.is_empty() {
                    said.push(String::new());
                }
                let label = label.map(text);
                self.signal.notes.extend(said.into_iter().map(|text| Note {
                    section: Some(section.to_owned()),
                    label: label.clone(),
                    text,
                }));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Signal, Vec<Problem>> {
        match bundle_of(&self.bundle) {
            Ok(bundle) => self.signal.bundle = bundle,
            Err(problem) => self.problems.push(problem),
        }
        if self.problems.is_empty() { Ok(self.signal) } else { Err(self.problems) }
    }
}

/// Parts a list of files at its commas.
fn parted(letters: &[Letter]) -> Vec<&[Letter]> {
    letters.split(|letter| letter.plain && letter.character == ',').map(trim).collect()
}

/// Refuses what looks like a place in a file and is none.
fn located(said: &[(String, Span)]) -> Result<(), Problem> {
    for (said, span) in said {
        if let Some(Err(reason)) = Location::of_words(said) {
            return Err(problem(*span, reason, "write PATH, PATH:LINE or PATH:LINE-LINE"));
        }
    }
    Ok(())
}

/// Reads `PATH as NAME, sha256:…`.
fn claim(text: &str) -> Result<Claim, String> {
    let whole = || format!("`{text}` is no sealed artifact");
    let (rest, checksum) = text.rsplit_once(", ").ok_or_else(whole)?;
    let (path, name) = rest.rsplit_once(" as ").ok_or_else(whole)?;
    Ok(Claim {
        name: Some(name.parse().map_err(|fault| format!("{fault}"))?),
        path: RepoPath::canonical(path).map_err(|fault| format!("`{path}`: {fault}"))?,
        checksum: Some(checksum.parse().map_err(|fault| format!("{fault}"))?),
    })
}

fn bundle_of(said: &[(String, String, Span)]) -> Result<Option<Bundle>, Problem> {
    let mut values = serde_json::Map::new();
    for (key, value, span) in said {
        if !KEYS.contains(&key.as_str()) {
            let help = match did_you_mean(key, KEYS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its keys are {}", KEYS.join(", ")),
            };
            return Err(problem(*span, format!("a bundle has no key `{key}`"), help));
        }
        if values.insert(key.clone(), value.as_str().into()).is_some() {
            return Err(problem(
                *span,
                format!("`{key}` stands here twice"),
                "keep one of the two",
            ));
        }
    }
    let Some((.., span)) = said.first() else { return Ok(None) };
    let bundle = serde_json::from_value(values.into());
    let help = format!("a bundle has {}", KEYS.join(", "));
    bundle.map(Some).map_err(|error| problem(*span, error.to_string(), help))
}
