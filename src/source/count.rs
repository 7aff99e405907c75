//! Counts with their words.

/// Gives a count with its word: `1 entry`, `2 entries`.
pub fn many(count: usize, word: &str) -> String {
    match word.strip_suffix('y') {
        _ if count == 1 => format!("{count} {word}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one() {
        assert_eq!([0, 1, 2].map(|count| many(count, "file")), ["0 files", "1 file", "2 files"]);
        assert_eq!([1, 2].map(|count| many(count, "entry")), ["1 entry", "2 entries"]);
    }
}
