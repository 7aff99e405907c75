//! The table of checks in the README, kept current by a test.

use std::fmt::Write as _;

use crate::checks;

const BEGIN: &str = "<!-- checks: begin -->\n";
const END: &str = "<!-- checks: end -->";

#[test]
fn the_table_of_checks_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    let begin = readme.find(BEGIN).expect("the table begins") + BEGIN.len();
    let end = readme.find(END).expect("the table ends");
    let text = format!("{}{}{}", &readme[..begin], table(), &readme[end..]);
    super::golden(&[("README.md".into(), text)]);
}

fn table() -> String {
    let mut table = String::from("| check | what it promises |\n|---|---|\n");
    for check in checks::ALL {
        let mark = if check.mandatory { " (mandatory)" } else { "" };
        writeln!(table, "| `{}`{mark} | {} |", check.name, check.title).expect("memory");
    }
    table
}
