//! What was measured, written into the documents.

use std::fs;
use std::path::Path;

use super::bench::{Bench, PACKAGE};
use super::chart::chart;

const BEGIN: &str = "<!-- measured: `cargo bench --bench side_by_side -- --write` -->\n";
const END: &str = "<!-- /measured -->\n";

/// Writes the tables between the marks of `docs/performance.md`, and the chart beside it.
pub(crate) fn write(bench: &Bench, told: &str) {
    let docs = Path::new(PACKAGE).join("docs");
    let page = docs.join("performance.md");
    let text = fs::read_to_string(&page).expect("there is a page");
    let (before, rest) = text.split_once(BEGIN).expect("it has a mark");
    let (_, after) = rest.split_once(END).expect("it has a second mark");
    fs::write(page, format!("{before}{BEGIN}\n{told}\n{END}{after}")).expect("it can be written");
    fs::write(docs.join("growth.svg"), chart(&bench.rows)).expect("it can be written");
}
