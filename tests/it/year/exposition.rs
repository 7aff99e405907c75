//! A strict reader of what Prometheus reads, by its documents alone: the text format 0.0.4, and the parts
//! of OpenMetrics 1.0 that orch writes.

use std::collections::{BTreeMap, BTreeSet};

/// The rows of a text: name and labels as they stand there, and the value.
pub(crate) type Rows = BTreeMap<String, f64>;

/// Reads the text format 0.0.4; panics at whatever a strict reader would refuse.
pub(crate) fn read_text(text: &str) -> Rows {
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "not of this format");
    read(text, "")
}

/// Reads OpenMetrics: it ends with its mark, and its counters are declared without `_total`.
pub(crate) fn read_open(text: &str) -> Rows {
    let body = text.strip_suffix("# EOF\n").expect("it ends with its mark");
    assert!(!body.contains("# EOF"), "the mark stands once");
    read(body, "_total")
}

fn read(text: &str, counters_end_with: &str) -> Rows {
    assert!(text.ends_with('\n') && !text.contains('\r') && !text.contains("\n\n"));
    let mut rows = Rows::new();
    let mut declared = BTreeSet::new();
    let (mut family, mut kind) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let (what, rest) = comment.split_once(' ').unwrap();
            let (name, said) = rest.split_once(' ').unwrap();
            match what {
                "HELP" => {
                    assert!(declared.insert(name.to_owned()), "{name} is declared twice");
                    assert!(!said.contains('\\') && said.ends_with('.'), "{line}");
                    (family, kind) = (name.to_owned(), String::new());
                }
                "TYPE" => {
                    assert_eq!(name, family);
                    assert!(["counter", "gauge", "histogram"].contains(&said), "{line}");
                    kind = said.to_owned();
                }
                "UNIT" => assert!(name == family && name.ends_with(&format!("_{said}")), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, mut labels) = parts(series);
        let before = labels.len();
        labels.retain(|(name, _)| name != "project");
        assert_eq!(labels.len() + 1, before, "{line} names its project");
        let end = name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line}"));
        match kind.as_str() {
            "counter" => assert_eq!(end, counters_end_with, "{line}"),
            "gauge" => assert_eq!(end, "", "{line}"),
            "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&end), "{line}"),
            _ => panic!("{line} has no type"),
        }
        assert_eq!(end == "_bucket", labels.iter().any(|(name, _)| name == "le"), "{line}");
        if counters_end_with.is_empty() && kind == "counter" {
            assert!(name.ends_with("_total"), "{line}");
        }
        let value: f64 = value.parse().unwrap();
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        assert!(rows.insert(key(&name, labels), value).is_none(), "{line} stands twice");
    }
    histograms(&rows);
    assert!(rows.remove("orch_measured_timestamp_seconds{}").is_some(), "when it was measured");
    rows
}

/// Gives a key that does not depend on the order of labels.
fn key(name: &str, mut labels: Vec<(String, String)>) -> String {
    labels.sort();
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// Takes a series apart: its name, and its labels with their escapes undone.
fn parts(series: &str) -> (String, Vec<(String, String)>) {
    let word = |text: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(!text.is_empty() && text.chars().all(good), "{series}");
        assert!(!text.starts_with(|c: char| c.is_ascii_digit()), "{series}");
        text.to_owned()
    };
    let Some((name, rest)) = series.split_once('{') else { return (word(series), Vec::new()) };
    let mut rest = rest.strip_suffix('}').unwrap();
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("{series} escapes {other}"),
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push((word(label), value));
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    assert!(!labels.is_empty(), "{series} has empty braces");
    (word(name), labels)
}

/// Holds that every histogram rises to its count.
fn histograms(rows: &Rows) {
    for (count_of, count) in rows.iter().filter(|(key, _)| key.contains("_count{")) {
        let name = count_of.split("_count{").next().unwrap();
        let labels = count_of.split_once('{').unwrap().1;
        let own = |key: &str| {
            let (bucket, of) = key.split_once('{').unwrap();
            let others: Vec<&str> =
                of.trim_end_matches('}').split(',').filter(|l| !l.starts_with("le=")).collect();
            let bound =
                of.split(',').find_map(|label| label.trim_end_matches('}').strip_prefix("le="));
            let bound = bound.map(|bound| bound.replace("+Inf", "inf").parse::<f64>().unwrap());
            let same = format!("{}}}", others.join(",")) == labels;
            bound.filter(|_| bucket == format!("{name}_bucket") && same)
        };
        let mut buckets: Vec<(f64, f64)> =
            rows.iter().filter_map(|(key, value)| Some((own(key)?, *value))).collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.len() > 2 && buckets.is_sorted_by_key(|(_, count)| *count), "{count_of}");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{count_of}");
        assert!(rows.contains_key(&count_of.replacen("_count{", "_sum{", 1)), "{count_of}");
    }
}
