//! How the work grows, as one picture.

use std::fmt::Write as _;

use super::result::Row;
use super::support::Size;
use super::{commit, range, verify};

const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 260.0;
const TOP: f64 = 50.0;
const LEFT: [f64; 2] = [60.0, 450.0];
/// Milliseconds, from the lowest line to the highest, as powers of ten.
const MS: [i32; 2] = [0, 5];

/// What is drawn: rows by the first word of their names, orch's command and Git's.
const SERIES: [[&str; 3]; 3] = [
    ["commit", commit::WARM, commit::GIT],
    ["range", range::COLD, range::GIT],
    ["verify", verify::COLD, verify::YARDSTICK],
];

/// One of the two pictures.
struct Panel {
    title: &'static str,
    left: f64,
    /// From the first label to the last, as powers of ten.
    powers: [i32; 2],
    /// Where a repository stands, if it is one of these.
    at: fn(Size) -> Option<usize>,
}

/// Draws orch's guard and verification beside Git's own work, over handoffs and over files.
pub(crate) fn chart(rows: &[Row]) -> String {
    let panels = [
        Panel {
            title: "handoffs, beside 13,000 files",
            left: LEFT[0],
            powers: [3, 5],
            at: |size| (size.files == 13_000).then_some(size.handoffs),
        },
        Panel {
            title: "files, beside 10,000 handoffs",
            left: LEFT[1],
            powers: [3, 6],
            at: |size| (size.handoffs == 10_000).then_some(size.files),
        },
    ];
    let mut svg = HEAD.to_owned();
    for panel in &panels {
        panel.frame(&mut svg);
        for [kind, orch, git] in SERIES {
            let of_kind = || rows.iter().filter(|row| row.name.starts_with(kind));
            panel.line(&mut svg, of_kind(), orch, kind);
            panel.line(&mut svg, of_kind(), git, &format!("{kind} git"));
        }
    }
    let legend = [
        ("commit", "guard before a commit, warm"),
        ("range", "guard of a range, cold"),
        ("verify", "verify everything, cold"),
    ];
    for (place, (class, label)) in legend.into_iter().enumerate() {
        let (x, y) = (LEFT[0] + 250.0 * place as f64, TOP + HEIGHT + 60.0);
        line(&mut svg, class, [x, y, x + 30.0, y]);
        text(&mut svg, "start", [x + 38.0, y + 4.0], label);
    }
    let y = TOP + HEIGHT + 85.0;
    line(&mut svg, "plain git", [LEFT[0], y, LEFT[0] + 30.0, y]);
    text(
        &mut svg,
        "start",
        [LEFT[0] + 38.0, y + 4.0],
        "dashed: Git's own work for the same question",
    );
    svg + "</svg>\n"
}

const HEAD: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 810 415\" role=\"img\" \
aria-label=\"How long orch and Git take as a repository grows\">
<style>
text { fill: #333; font: 12px sans-serif }
line, polyline, circle { fill: none; stroke-width: 2; stroke: #666 }
.grid { stroke: #ddd; stroke-width: 1 }
.commit { stroke: #1a6fd0 } .range { stroke: #c05a00 } .verify { stroke: #1f8a4c }
.git { stroke-dasharray: 5 4; opacity: 0.8 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .grid { stroke: #444 } .plain { stroke: #aaa }
  .commit { stroke: #6db1ff } .range { stroke: #ffa657 } .verify { stroke: #5fd38d }
}
</style>
";

impl Panel {
    fn frame(&self, svg: &mut String) {
        let [low, high] = self.powers;
        let right = self.left + WIDTH;
        text(
            svg,
            "middle",
            [self.left + WIDTH / 2.0, TOP - 20.0],
            &format!("Time over {}", self.title),
        );
        for power in low..=high {
            let x = self.x(10_f64.powi(power));
            line(svg, "grid", [x, TOP, x, TOP + HEIGHT]);
            text(svg, "middle", [x, TOP + HEIGHT + 20.0], LABELS[power as usize - 3]);
        }
        for power in MS[0]..=MS[1] {
            let y = y(10_f64.powi(power));
            line(svg, "grid", [self.left, y, right, y]);
            let label = if power < 3 { "ms" } else { "s" };
            let amount = 10_i32.pow(power as u32 % 3);
            text(svg, "end", [self.left - 8.0, y + 4.0], &format!("{amount} {label}"));
        }
    }

    fn line<'a>(
        &self,
        svg: &mut String,
        rows: impl Iterator<Item = &'a Row>,
        name: &str,
        class: &str,
    ) {
        let mut points: Vec<(usize, f64)> =
            rows.filter_map(|row| Some(((self.at)(row.size?)?, row.find(name)?.ms()))).collect();
        points.sort_by_key(|(amount, _)| *amount);
        let place = |(amount, ms): &(usize, f64)| (self.x(*amount as f64), y(*ms));
        for (x, y) in points.iter().map(place) {
            writeln!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>")
                .expect("text grows");
        }
        let points: Vec<String> =
            points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "))
            .expect("text grows");
    }

    fn x(&self, amount: f64) -> f64 {
        let [low, high] = self.powers.map(f64::from);
        self.left + (amount.log10() - low) / (high - low) * WIDTH
    }
}

const LABELS: [&str; 4] = ["1k", "10k", "100k", "1M"];

fn y(ms: f64) -> f64 {
    let [low, high] = MS.map(f64::from);
    TOP + HEIGHT - (ms.log10() - low) / (high - low) * HEIGHT
}

fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    )
    .expect("text grows");
}

fn text(svg: &mut String, anchor: &str, [x, y]: [f64; 2], words: &str) {
    writeln!(svg, "<text text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>")
        .expect("text grows");
}
