//! Patterns of branch names: `feature/{task_id}-{slug}` (R000-35, R001-22).

use regex::Regex;

use crate::source::Moment;

/// A pattern with `{lane} {date} {run_id} {task_id} {slug}`.
#[derive(Debug, Clone)]
pub struct BranchPattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Named(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Lane,
    Date,
    RunId,
    TaskId,
    Slug,
}

const WORDS: [(&str, Word); 5] = [
    ("{lane}", Word::Lane),
    ("{date}", Word::Date),
    ("{run_id}", Word::RunId),
    ("{task_id}", Word::TaskId),
    ("{slug}", Word::Slug),
];

/// What is known of a branch's name; what is not known matches any word of its shape.
#[derive(Debug, Clone, Default)]
pub struct BranchParts<'a> {
    /// The lane's name.
    pub lane: Option<&'a str>,
    /// The day it is made.
    pub date: Option<Moment>,
    /// The run.
    pub run_id: Option<&'a str>,
    /// The task.
    pub task_id: Option<&'a str>,
    /// The stage's name, with a number for later runs.
    pub slug: Option<&'a str>,
}

impl BranchParts<'_> {
    fn known(&self, word: Word) -> Option<String> {
        match word {
            Word::Lane => self.lane.map(str::to_lowercase),
            Word::Date => self.date.map(|date| date.day().replace('-', "")),
            Word::RunId => self.run_id.map(str::to_owned),
            Word::TaskId => self.task_id.map(str::to_owned),
            Word::Slug => self.slug.map(str::to_owned),
        }
    }
}

impl Word {
    fn shape(self) -> &'static str {
        match self {
            Word::Lane => "[A-Za-z][A-Za-z0-9_-]*",
            Word::Date => "20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
            Word::RunId => "r[0-9a-f]{10}",
            Word::TaskId => "[A-Za-z][A-Za-z0-9._-]{1,62}",
            Word::Slug => r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*",
        }
    }
}

impl BranchPattern {
    /// Takes a pattern; refuses, in words, an unknown placeholder and one without any text.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                pieces.push(Piece::Plain(rest[..open].to_owned()));
            }
            let named = WORDS.into_iter().find(|(word, _)| rest[open..].starts_with(word));
            let Some((word, piece)) = named else {
                return Err("the placeholders are {lane} {date} {run_id} {task_id} {slug}".into());
            };
            pieces.push(Piece::Named(piece));
            rest = &rest[open + word.len()..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        let plain = |piece: &Piece| match piece {
            Piece::Plain(text) => {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
            }
            Piece::Named(_) => true,
        };
        if pieces.is_empty() || !pieces.iter().all(plain) {
            return Err("a branch's name is letters, digits, `/`, `.`, `_` and `-`".into());
        }
        Ok(BranchPattern { text: text.to_owned(), pieces })
    }

    /// Gives the pattern as the policy writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether a name fits, given what is known of it.
    pub fn fits(&self, name: &str, known: &BranchParts<'_>) -> bool {
        let mut regex = String::from("^");
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => regex.push_str(&regex::escape(text)),
                Piece::Named(word) => match known.known(*word) {
                    Some(text) if *word == Word::Lane => {
                        regex.push_str(&format!("(?i:{})", regex::escape(&text)));
                    }
                    Some(text) => regex.push_str(&regex::escape(&text)),
                    None => regex.push_str(word.shape()),
                },
            }
        }
        regex.push('$');
        Regex::new(&regex).is_ok_and(|regex| regex.is_match(name))
    }

    /// Writes a name in which what is not known stays its placeholder.
    pub fn fill(&self, known: &BranchParts<'_>) -> String {
        let placeholder = |word: Word| WORDS.into_iter().find(|(_, other)| *other == word);
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Plain(text) => text.clone(),
                Piece::Named(word) => known.known(*word).unwrap_or_else(|| {
                    placeholder(*word).map_or_else(String::new, |(text, _)| text.to_owned())
                }),
            })
            .collect()
    }

    /// Writes a name; none if the pattern asks for a part that is not known.
    pub fn write(&self, known: &BranchParts<'_>) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Plain(text) => Some(text.clone()),
                Piece::Named(word) => known.known(*word),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> BranchPattern {
        BranchPattern::new(text).expect("a pattern")
    }

    #[test]
    fn a_name_is_written_and_fits() {
        let pattern = pattern("feature/{task_id}-{slug}");
        let known = BranchParts {
            task_id: Some("strat-001"),
            slug: Some("strategy"),
            ..BranchParts::default()
        };
        let name = pattern.write(&known).expect("all parts known");
        assert_eq!(name, "feature/strat-001-strategy");
        assert!(pattern.fits(&name, &known));
        assert!(pattern.fits("feature/strat-001-other", &BranchParts::default()));
        assert!(!pattern.fits("feature/strat-002-strategy", &known));
    }

    /// Attacks 118 and 119: shell words, wrong lane, bad date.
    #[test]
    fn what_does_not_fit_is_refused() {
        let dated = pattern("codex/torghut-v3-{lane}-{date}-{run_id}");
        let any = BranchParts::default();
        assert!(dated.fits("codex/torghut-v3-b-20261121-r3f9c2a71b0", &any));
        assert!(!dated.fits("codex/torghut-v3-b-20261321-r3f9c2a71b0", &any));
        assert!(!dated.fits("codex/torghut-v3-tca-pipeline-20260218", &any));
        let lane = BranchParts { lane: Some("C"), ..BranchParts::default() };
        assert!(dated.fits("codex/torghut-v3-c-20261121-r3f9c2a71b0", &lane));
        assert!(!dated.fits("codex/torghut-v3-b-20261121-r3f9c2a71b0", &lane));
        let feature = pattern("feature/{task_id}-{slug}");
        for bad in ["x;$(id)", "feature/strat001", "feature/strat-001-x;id", "Feature/strat-001-x"]
        {
            assert!(!feature.fits(bad, &any), "{bad}");
        }
    }

    /// As real branches are called; Git itself takes neither two dots in a row nor one at the end.
    #[test]
    fn a_slug_may_be_a_version() {
        let any = BranchParts::default();
        let release = pattern("release/{slug}");
        for name in ["0.6.4", "3.8-stable", "3.10.0-release-ann", "v1"] {
            assert!(release.fits(&format!("release/{name}"), &any), "{name}");
        }
        for name in [".6", "0..6", "0.6.", "0/6", ""] {
            assert!(!release.fits(&format!("release/{name}"), &any), "{name}");
        }
    }

    #[test]
    fn unknown_placeholders_are_refused() {
        assert!(BranchPattern::new("feature/{id}").is_err());
        assert!(BranchPattern::new("").is_err());
        assert!(BranchPattern::new("a b").is_err());
    }
}
