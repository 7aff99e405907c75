//! How far a task of a list has come, as a cell says it.

/// How far a task of a list has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// Nobody has finished it; who has it in hand begins anew, on the record.
    #[default]
    Open,
    /// It waits for something, which the list may name.
    Blocked(Option<String>),
    /// It is done.
    Done,
}

const DONE: &[&str] = &["complete", "completed", "done", "closed", "finished", "merged"];

const OPEN: &[&str] = &[
    "ready",
    "todo",
    "to do",
    "open",
    "pending",
    "planned",
    "waiting",
    "queued",
    "in progress",
    "active",
    "not started",
    "not done",
    "incomplete",
    "partial",
];

/// What to write in place of a word that is not known.
pub(super) const HELP: &str = "write ready, todo, open, pending, planned, waiting, queued, in progress, active, not started, \
     incomplete or partial; complete, done, closed, finished or merged; or blocked, with a reason \
     behind `:`";

/// Reads a status: the whole text is a known word, in any case, with or without signs around it, or
/// one of the signs alone. None if it is not: a guess could lose a task.
pub(super) fn read(text: &str) -> Option<Status> {
    let mut rest = text.trim();
    let ticked = ["[x]", "[X]", "[ ]"].into_iter().find_map(|tick| {
        rest = rest.strip_prefix(tick)?;
        Some(if tick == "[ ]" { Status::Open } else { Status::Done })
    });
    let words: String = rest.chars().filter(|&c| !is_sign(c) && !matches!(c, '*' | '`')).collect();
    let words = words.trim();
    let bare = normal(words);
    match bare.as_str() {
        // Dashes say nothing, and nothing is left where only signs stood.
        "" => ticked.map_or_else(|| by_signs(rest), Some),
        word if OPEN.contains(&word) => Some(Status::Open),
        word if DONE.contains(&word) => Some(Status::Done),
        _ => blocked(words),
    }
}

/// Gives words in lower case, with one space between them.
fn normal(words: &str) -> String {
    let words = words.to_lowercase().replace(['_', '-', '–', '—'], " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads `blocked`, and a reason behind `:`, behind a dash or in parentheses.
fn blocked(words: &str) -> Option<Status> {
    let behind = words.get(.."blocked".len()).filter(|word| word.eq_ignore_ascii_case("blocked"));
    let behind = words[behind?.len()..].trim();
    let reason = match behind.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')')?,
        None if behind.is_empty() => "",
        None => behind.strip_prefix([':', '-', '–', '—'])?,
    };
    let reason = reason.trim();
    Some(Status::Blocked((!reason.is_empty()).then(|| reason.to_owned())))
}

/// Reads signs that stand alone; those that contradict each other say nothing.
fn by_signs(text: &str) -> Option<Status> {
    let mut said = text.chars().filter_map(|sign| match sign {
        '✅' | '✔' | '☑' => Some(Status::Done),
        '🚫' | '⛔' => Some(Status::Blocked(None)),
        '🔄' | '⏳' | '⌛' => Some(Status::Open),
        _ => None,
    });
    let Some(first) = said.next() else {
        return (!text.chars().any(is_sign)).then_some(Status::Open);
    };
    said.all(|other| other == first).then_some(first)
}

/// Tells whether a character is an emoji, or joins or colours one.
fn is_sign(character: char) -> bool {
    matches!(u32::from(character),
        0x2190..=0x2BFF | 0x1F000..=0x1FAFF | 0xFE00..=0xFE0F | 0x200D | 0x20E3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R002-28: a status is a known word as a whole.
    #[test]
    fn known_words_are_read_in_any_dress() {
        for done in [
            "Complete",
            "completed",
            "**Done**",
            "✅ done",
            "✅",
            "✔️",
            "[x]",
            "[x] merged",
            "CLOSED",
            "Finished",
        ] {
            assert_eq!(read(done), Some(Status::Done), "{done}");
        }
        for open in [
            "",
            " - ",
            "—",
            "Ready",
            "To-Do",
            "in_progress",
            "🔄 In  Progress",
            "⏳",
            "[ ]",
            "🟢 ready",
            "Not done",
            "not-started",
            "INCOMPLETE",
            "`partial`",
            "queued",
            "[ ] open",
        ] {
            assert_eq!(read(open), Some(Status::Open), "{open}");
        }
        for blocked in ["blocked", "🚫", "⛔ Blocked", "blocked:"] {
            assert_eq!(read(blocked), Some(Status::Blocked(None)), "{blocked}");
        }
        for blocked in
            ["Blocked: no data", "blocked - no data", "🚫 blocked (no data)", "Blocked – no data"]
        {
            assert_eq!(read(blocked), Some(Status::Blocked(Some("no data".into()))), "{blocked}");
        }
    }

    /// What is not known is never guessed: a task taken for done would be lost.
    #[test]
    fn anything_else_is_none() {
        for text in [
            "Not complete",
            "Undone",
            "80% done",
            "To be done",
            "Nearly done",
            "done: no",
            "Done?",
            "50% complete",
            "complete (partially)",
            "Complete soon",
            "passed",
            "Cancelled",
            "Banana",
            "💤",
            "✅ 🚫",
            "blocked by X",
            "blocked (x",
            "unblocked",
            "x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
