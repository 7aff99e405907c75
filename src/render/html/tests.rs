//! The page as browsers and readers take it: whole, closed, readable, and the words of records only words.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::page;
use super::style::STYLE;
use crate::record::Record;
use crate::report::Overview;
use crate::report::overview::Terms;
use crate::source::path::unprintable;
use crate::testing::world;

/// Something of everything that a page can tell.
const BUSY: &str = "
- data: {}
- done: {until: audit}
- run: {}
- audit_report: {}
- gate: {}
- task: {task_id: strat-002, depends_on: [strat-001], deadline: '2026-11-20'}
- task: {task_id: data-002, workflow: data_refresh}
- run: {task: data-002}
- run: {task: data-002, status: failed, failure: {class: transient, reason: network}}
- pause: {task: data-002, cause: person, reason: Look first}
- escalation: {level: 1, trigger: Two views, positions: [{agent: quant_engineer, statement: a}, {agent: strategy_developer, statement: b}]}
- decision: {title: Costs}
- incident: {trigger: Prices are late}
- halt: {scope: 'lane:A', reason: Prices are late}
";

fn busy() -> Overview {
    let world = world(BUSY);
    let records: Vec<Record> =
        world.ledgers.values().flat_map(|ledger| ledger.records.clone()).collect();
    let commit = Some("0123456789abcdef0123456789abcdef01234567".to_owned());
    Overview::of(
        &world,
        Terms { commit, staged: false, records: &records, unreadable: 0, closed: 50 },
    )
}

fn parsed(text: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}"))
}

/// R002-19 to R002-22, R003-23, R003-41: one page, well-formed, that tells of everything, in one language,
/// with a heading for each section and a name for each picture.
#[test]
fn the_page_is_whole() {
    let text = page(&busy());
    assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{}", &text[..60]);
    let document = parsed(&text);
    let all = || document.descendants().filter(roxmltree::Node::is_element);
    let ids: Vec<&str> = all().filter_map(|node| node.attribute("id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    for anchor in [
        "debts",
        "incidents",
        "board",
        "shown",
        "charts",
        "graph",
        "decisions",
        "actors",
        "findings",
        "lives",
        "halts",
        "task-strat-001",
    ] {
        assert!(unique.contains(anchor), "{anchor}");
    }
    let links = all().filter_map(|node| node.attribute("href"));
    for link in links {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads away"));
        assert!(unique.contains(target), "{link} leads nowhere");
    }
    for table in all().filter(|node| node.has_tag_name("table")) {
        let headed = |node: roxmltree::Node<'_, '_>| {
            node.descendants()
                .any(|node| node.has_tag_name("th") && node.attribute("scope").is_some())
        };
        assert!(headed(table), "a table without a heading");
    }
    for picture in all().filter(|node| node.attribute("role") == Some("img")) {
        assert!(picture.attribute("aria-label").is_some_and(|name| !name.is_empty()));
    }
    let levels =
        all().filter_map(|node| node.tag_name().name().strip_prefix('h')?.parse::<u8>().ok());
    let levels: Vec<u8> = levels.collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1) && levels[0] == 1, "{levels:?}");
}

/// Nothing is loaded and nothing runs: no script, no handler, no address.
#[test]
fn the_page_is_closed() {
    let text = page(&busy());
    let document = parsed(&text);
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "img", "iframe", "object", "base", "form"].contains(&name),
            "{name}"
        );
        for attribute in node.attributes() {
            let known = !attribute.name().starts_with("on") && attribute.name() != "src";
            assert!(known, "{name} {}", attribute.name());
        }
    }
    assert!(text.contains("default-src &apos;none&apos;; style-src &apos;unsafe-inline&apos;"));
    assert!(!STYLE.contains("url(") && !STYLE.contains('<') && !STYLE.contains("@import"));
    let addresses = text.replace("http://www.w3.org/2000/svg", "");
    assert!(!addresses.contains("http:") && !addresses.contains("https:"));
}

#[test]
fn the_same_overview_gives_the_same_bytes() {
    assert_eq!(page(&busy()), page(&busy()));
}

/// Puts a text wherever a record's words come into the page.
fn say_everywhere(overview: &mut Overview, text: &str) {
    let said = || text.to_owned();
    overview.project = said();
    let board = &mut overview.board;
    for rows in [
        &mut board.active,
        &mut board.ready,
        &mut board.waiting,
        &mut board.blocked,
        &mut board.done,
    ] {
        for row in rows.iter_mut() {
            row.title = said();
            row.waits_for = row.waits_for.as_ref().map(|_| said());
        }
    }
    for halt in &mut overview.halts {
        (halt.reason, halt.scope, halt.command) = (said(), said(), said());
    }
    for incident in &mut overview.incidents {
        (incident.trigger, incident.severity, incident.class) = (said(), said(), said());
    }
    for debt in &mut overview.debts {
        (debt.what, debt.command) = (said(), said());
    }
    for found in &mut overview.findings {
        (found.message, found.help) = (said(), said());
    }
    for ruling in &mut overview.decisions.last {
        (ruling.title, ruling.context, ruling.outcome) = (said(), said(), said());
        ruling.resolves = vec![said()];
    }
    for life in &mut overview.lives.told {
        life.title = said();
        life.marks.iter_mut().for_each(|mark| mark.words = said());
        life.entries.iter_mut().for_each(|entry| entry.words = said());
    }
    for shown in &mut overview.shown {
        shown.title = said();
        shown.seals.iter_mut().for_each(|seal| seal.content = Some(said()));
        for condition in shown.gates.iter_mut().flat_map(|gate| &mut gate.conditions) {
            (condition.expression, condition.observed) = (said(), Some(said()));
        }
    }
}

/// Texts that mean something to somebody who reads pages.
fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("</title><script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x".to_owned()),
        Just("<!-- ]]> &amp; &#60;".to_owned()),
        Just("\u{202e}\u{200b}\u{feff}\u{1b}[31m\0".to_owned()),
        Just("`<b>` `".to_owned()),
        Just("🚀⚠️ عربي".to_owned()),
        ".{0,20}",
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a record says, the page has the elements that it has anyway: nothing of it is read as
    /// markup, and nothing in it is out of a reader's sight.
    #[test]
    fn words_of_records_stay_words(text in nasty()) {
        let mut overview = busy();
        let elements = |overview: &Overview| {
            let text = page(overview);
            assert!(!text.contains(|letter| unprintable(letter) && letter != '\n'), "{text}");
            let document = parsed(&text);
            let names = document.descendants().filter(|node| node.is_element());
            // What stands between backticks is code, and that is all it can be; a document has lines.
            let names = names.map(|node| node.tag_name().name().to_owned());
            names.filter(|name| name != "code" && name != "span").collect::<Vec<_>>()
        };
        say_everywhere(&mut overview, "x");
        let plain = elements(&overview);
        say_everywhere(&mut overview, &text);
        prop_assert_eq!(elements(&overview), plain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The same in short: each row keeps its cells, and nothing of it is markup.
    #[test]
    fn words_stay_words_in_short_too(text in nasty()) {
        let mut overview = busy();
        say_everywhere(&mut overview, &text);
        let told = crate::render::overview(&overview);
        prop_assert!(!told.contains('<') && !told.contains(|c| unprintable(c) && c != '\n'), "{}", told);
        let mut cells = 0;
        for line in told.lines() {
            let count = line.matches('|').count();
            match line.starts_with('|') {
                true if cells == 0 => cells = count,
                true => prop_assert_eq!(count, cells, "{}", line),
                false => cells = 0,
            }
        }
    }
}

/// The contrast of two colours by WCAG 2, `#rgb` or `#rrggbb`.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let digits = colour.trim_start_matches('#');
        let long: String = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            _ => digits.to_owned(),
        };
        let part = |at: usize| {
            let value =
                f64::from(u8::from_str_radix(&long[at..at + 2], 16).expect("a colour")) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// By day and by night: text has a contrast of 4.5 to 1 against what it stands on, bars of 3 to 1.
#[test]
fn everything_can_be_read_by_day_and_by_night() {
    let sheets: Vec<&str> = STYLE.split(":root{").skip(1).take(2).collect();
    assert_eq!(sheets.len(), 2);
    for sheet in sheets {
        let rules = sheet.split('}').next().expect("a rule").replace('\n', "");
        let colour = |name: &str| {
            let found = rules.split(';').find_map(|rule| rule.strip_prefix(&format!("--{name}:")));
            found.unwrap_or_else(|| panic!("no {name} in {rules}")).to_owned()
        };
        let texts = [
            ("ink", "page"),
            ("ink", "card"),
            ("soft", "page"),
            ("soft", "card"),
            ("link", "page"),
            ("link", "card"),
            ("ink", "badbg"),
            ("ink", "calmbg"),
            ("good", "goodbg"),
            ("bad", "badbg"),
            ("busy", "busybg"),
            ("live", "livebg"),
            ("link", "badbg"),
        ];
        for (text, ground) in texts {
            let found = contrast(&colour(text), &colour(ground));
            assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
        }
        for bar in ["live", "bad", "busy", "calm", "good", "ink"] {
            let found = contrast(&colour(bar), &colour("card"));
            assert!(found >= 3.0, "{bar}: {found:.2}");
        }
    }
    assert!((contrast("#000", "#ffffff") - 21.0).abs() < 0.01);
}
