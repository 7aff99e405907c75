//! What the quick reader reads, the crate reads the same.

use proptest::prelude::*;

use super::super::Reader;
use super::*;

/// The word of the crate counts.
fn agrees(text: &str) -> bool {
    let Some(quick) = read(text) else { return false };
    let slow = Reader::new(text).document().unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    assert_eq!(quick, slow, "{text}");
    true
}

#[test]
fn what_people_and_orch_write_is_plain() {
    for text in [
        "a: 1\nb:\n  c: x y # why\n  # a line\n  d: \"x: #\"\n\n  e: 'y'   \nf: -1.5\n",
        "a:\n  - b: 1\n    c: [x, 'y z', \"w\", [], {}, {k: v, l: [1, true]}]\n  - d: e\n",
        "- a\n- b:c\n- https://example.org/x#y\n- k: v\n  l:\n    - m\n- 2026-11-21T14:30:00Z",
        "a: x  \nb: Größe (µ) – \u{2013}\nc: ~\nd: null\n",
        "# first\n\na: {b: 1, c: \"2\"} # last",
    ] {
        assert!(agrees(text), "{text}");
    }
    for text in ["torghut", "hedge", "team"] {
        let path = format!("{}/templates/{text}.yaml", env!("CARGO_MANIFEST_DIR"));
        assert!(agrees(&std::fs::read_to_string(path).unwrap()), "{text}");
    }
}

#[test]
fn the_rest_is_left_alone() {
    for text in [
        "",
        "# only\n",
        "a: 1\na: 2\n",
        "a:\n",
        "a: |\n  x\n",
        "a: x\n  y\n",
        "a: \"x\\n\"\n",
        "a: 'it''s'\n",
        "a: [1,\n  2]\n",
        "a: b: c\n",
        "a: x:\n",
        "---\na: 1\n",
        "a: 1\n---\n",
        "a: &x 1\n",
        "a: *x\n",
        "a: !t 1\n",
        "<<: 1\n",
        "a:\tb\n",
        "? a\n: b\n",
        "a:\n- b\n",
        "- - a\n",
        "a: \"x\" y\n",
        "a: [x: y]\n",
        "a: [,]\n",
        "a: [x,]\n",
        "a:b\n",
        "x\n",
        "a: 1\n b: 2\n",
        "  a: 1\nb: 2\n",
        "a: `x\n",
        "a: @x\n",
        "a: %x\n",
        "a: # x\n",
        "...\n",
    ] {
        assert!(read(text).is_none(), "{text:?}");
    }
}

/// Lines of all that YAML knows, in any order and at any column.
fn lines() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z0-9_./-]{1,6}",
        "[ -~]{0,12}",
        "[a-zé#:, \\[\\]{}'\"-]{0,8}",
        Just("~".to_owned()),
        "\"[ -~]{0,6}\"",
        "'[ -~]{0,6}'",
        "\\[[a-z0-9, ]{0,8}\\]",
        "\\{[a-z]: [a-z0-9]{0,3}\\}",
        "\\[([a-z]{1,3}|\"[a-z: ]{0,3}\"), ?[a-z0-9'\"{}: ]{0,6}\\]",
        "-?[0-9.e]{1,6}",
    ];
    let key =
        prop_oneof!["[a-c]:", "[a-z]{1,2}: ", Just(String::new()), "- ", "- [a-c]: ", "- [a-c]:"];
    let line =
        ("( ){0,6}", key, word, prop_oneof![4 => Just(""), 1 => Just(" # c"), 1 => Just(" ")]);
    let line = line.prop_map(|(indent, key, word, end)| format!("{indent}{key}{word}{end}\n"));
    prop::collection::vec(line, 1..6).prop_map(|lines| lines.concat())
}

/// Documents that hang together, so that many of them are plain.
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z]{1,4}",
        "[0-9]{1,3}",
        "[a-z]: [a-z]",
        "\"[ -~]{0,5}\"",
        "[ -~]{1,9}",
        "\\[[a-z, ]{0,5}\\]"
    ];
    let leaf = leaf.prop_map(|leaf| vec![leaf]);
    let block = leaf.prop_recursive(4, 24, 3, |inner| {
        let entries = prop::collection::vec((any::<bool>(), "[a-e]", inner), 1..4);
        (any::<bool>(), 1..4_usize, entries).prop_map(|(list, deep, entries)| {
            let mut lines = Vec::new();
            for (_, key, below) in entries {
                let single = below.len() == 1;
                match (list, single) {
                    (true, _) => {
                        lines.extend(below.iter().enumerate().map(|(at, line)| {
                            format!("{}{line}", if at == 0 { "- " } else { "  " })
                        }))
                    }
                    (false, true) => lines.push(format!("{key}: {}", below[0])),
                    (false, false) => {
                        lines.push(format!("{key}:"));
                        lines
                            .extend(below.iter().map(|line| format!("{}{line}", " ".repeat(deep))));
                    }
                }
            }
            lines
        })
    });
    block.prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_are_read_as_the_crate_reads_them(text in lines()) {
        agrees(&text);
    }

    #[test]
    fn trees_are_read_as_the_crate_reads_them(text in tree()) {
        agrees(&text);
    }
}
