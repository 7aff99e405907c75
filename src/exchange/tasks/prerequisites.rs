//! What must be done first, as a cell or a list says it: ids, ranges of ids, `All above`, `None`.

use crate::source::TaskId;

/// A range names no more than this many tasks.
const MOST: u32 = 1000;

/// Reads prerequisites; `above` are the tasks of the rows before. Refuses with the reason in words.
pub(super) fn read(text: &str, above: &[TaskId]) -> Result<Vec<TaskId>, String> {
    let mut found: Vec<TaskId> = Vec::new();
    for part in parts(text) {
        for id in one(part, above)? {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// Parts a text at commas, semicolons, `&` and `and`; what says that there is nothing is left out.
fn parts(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split([',', ';', '&', '\n']) {
        let mut rest = part;
        while let Some(at) = find_word(rest, " and ") {
            parts.push(rest[..at].trim());
            rest = &rest[at + " and ".len()..];
        }
        let rest = rest.trim();
        // Behind a comma: `A, B, and C`.
        let stripped = rest.get(..4).filter(|start| start.eq_ignore_ascii_case("and "));
        parts.push(stripped.map_or(rest, |_| rest[4..].trim()));
    }
    parts.retain(|part| {
        let none = ["none", "n/a", "nothing"].iter().any(|none| part.eq_ignore_ascii_case(none));
        !none && !part.chars().all(|c| matches!(c, '-' | '–' | '—'))
    });
    parts
}

/// Finds a word in any case.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let same = |at: &usize| {
        text.get(*at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    (0..text.len()).find(same)
}

fn one(part: &str, above: &[TaskId]) -> Result<Vec<TaskId>, String> {
    let words: Vec<String> = part.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["all", "above"] | ["all", "the", "above"] | ["all", "of", "the", "above"] | ["above"] =
        words.as_slice()
    {
        return Ok(above.to_vec());
    }
    let range = ["...", "..", "…", "–", "—", " to ", " through ", " - "];
    let range = range.into_iter().find_map(|separator| {
        let at = find_word(part, separator)?;
        Some((part[..at].trim(), part[at + separator.len()..].trim()))
    });
    match range {
        Some((first, last)) => between(first, last),
        None => part.parse().map(|id| vec![id]).map_err(|fault| format!("`{part}`: {fault}")),
    }
}

/// Gives the tasks from one id to another, or to another number: `DISC-001` and `DISC-004` or `004`.
fn between(first: &str, last: &str) -> Result<Vec<TaskId>, String> {
    let wrong = || format!("`{first}` and `{last}` are no range of ids");
    let (stem, from) = numbered(first).ok_or_else(wrong)?;
    let (other, to) = numbered(last).ok_or_else(wrong)?;
    if !other.is_empty() && other != stem {
        return Err(wrong());
    }
    let width = from.len();
    let (from, to): (u32, u32) =
        (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from > to || to - from >= MOST {
        return Err(wrong());
    }
    let ids = (from..=to).map(|number| format!("{stem}{number:0width$}").parse());
    ids.collect::<Result<_, _>>().map_err(|fault: crate::source::id::IdFault| fault.to_string())
}

/// Parts an id from the number at its end.
fn numbered(id: &str) -> Option<(&str, &str)> {
    let stem = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &id[stem.len()..];
    (!number.is_empty() && number.len() <= 9).then_some((stem, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> String {
        let above = ["A-1", "B-2"].map(|id| id.parse().expect("an id"));
        let read = read(text, &above).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        read.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" ")
    }

    /// R002-28, and the prerequisites of a real board: None, an id, All above.
    #[test]
    fn prerequisites_are_read_as_people_write_them() {
        for text in ["", "None", "-", "—", "n/a", " none "] {
            assert_eq!(ids(text), "", "{text}");
        }
        assert_eq!(ids("ORCH-001"), "ORCH-001");
        for text in ["ML-001, ML-002", "ML-001 and ML-002", "ML-001 & ML-002", "ML-001, and ML-002"]
        {
            assert_eq!(ids(text), "ML-001 ML-002", "{text}");
        }
        for text in ["DISC-001..003", "DISC-001..DISC-003", "DISC-001 to DISC-003", "DISC-001–003"]
        {
            assert_eq!(ids(text), "DISC-001 DISC-002 DISC-003", "{text}");
        }
        assert_eq!(ids("All above"), "A-1 B-2");
        assert_eq!(ids("all above, A-1, X-9..10"), "A-1 B-2 X-9 X-10");
        assert_eq!(ids("a-and-b"), "a-and-b");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let endless = "A-1..999999999";
        for text in ["the data", "DISC-004..001", "A-1..B-2", "A..B", endless, "A-1, 7"] {
            assert!(read(text, &[]).is_err(), "{text}");
        }
    }
}
