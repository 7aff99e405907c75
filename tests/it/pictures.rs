//! `docs/refusal.svg`: what a terminal shows of a refusal, drawn from what the program prints.

use std::fmt::Write as _;

use crate::support::{CODE, Team, is_current};

/// Where a character stands in the picture.
const WIDTH: f32 = 8.4;
const HEIGHT: usize = 20;
/// So much is left around the text.
const MARGIN: usize = 20;

/// What colours are in the picture, by the number that a terminal knows them by.
fn colour(code: &str) -> Option<&'static str> {
    Some(match code {
        "31" | "91" => "#ff7b72",
        "32" | "92" => "#7ee787",
        "33" | "93" => "#e3b341",
        "34" | "94" => "#79c0ff",
        "35" | "95" => "#d2a8ff",
        "36" | "96" => "#76e3ea",
        "2" | "90" => "#8b949e",
        _ => return None,
    })
}

/// Draws text with a terminal's colours; each line may be so many characters long.
fn picture(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let columns = lines.iter().map(|line| plain(line).chars().count()).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a line has no millions of characters")]
    let width = (columns as f32 * WIDTH) as usize + 2 * MARGIN;
    let height = lines.len() * HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\">\n\
         <title>What orch says of a refused commit</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" \
         fill=\"#e6edf3\">\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + row * HEIGHT + 14;
        writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", spans(line)).unwrap();
    }
    svg + "</g>\n</svg>\n"
}

/// Gives a line without its colours.
fn plain(line: &str) -> String {
    parts(line).into_iter().map(|(_, text)| text).collect()
}

/// Takes a line apart: each part with the codes that stand before it.
fn parts(line: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    for (at, rest) in line.split("\u{1b}[").enumerate() {
        match rest.split_once('m').filter(|_| at > 0) {
            Some((codes, text)) => parts.push((codes, text)),
            None => parts.push(("0", rest)),
        }
    }
    parts
}

fn spans(line: &str) -> String {
    let mut svg = String::new();
    let (mut fill, mut bold) = (None, false);
    for (codes, text) in parts(line) {
        for code in codes.split(';') {
            match code {
                "0" | "" => (fill, bold) = (None, false),
                "1" => bold = true,
                _ => fill = colour(code).or(fill),
            }
        }
        if text.is_empty() {
            continue;
        }
        let fill = fill.map(|fill| format!(" fill=\"{fill}\"")).unwrap_or_default();
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        // Readers of SVG differ in which spaces they keep; they keep this one.
        let text = text
            .replace(' ', "\u{a0}")
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        write!(svg, "<tspan{fill}{weight}>{text}</tspan>").unwrap();
    }
    svg
}

/// The picture is drawn from what is printed now.
#[test]
fn the_refusal_is_drawn_as_it_is_printed() {
    let team = Team::new();
    team.hand_over_strategy(&[]);
    team.edit(CODE, "20", "21");
    team.repo.git(&["add", "--all"]);
    let said = team.with_variable("CLICOLOR_FORCE", "1").try_orch("", &["guard"]);
    assert_eq!(said.code, 1, "{said:#?}");
    let expected = picture(&said.err.replace("\u{1b}]8;;", ""));
    assert!(expected.contains("fill=\"#ff7b72\""), "it has no colours: {:?}", said.err);
    is_current("docs/refusal.svg", &expected);
}
