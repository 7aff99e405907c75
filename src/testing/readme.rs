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
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for check in checks::ALL {
        let group = format!("{:?}", check.group).to_lowercase();
        let name = if check.mandatory { format!("**{}**", check.name) } else { check.name.into() };
        match groups.last_mut().filter(|(last, _)| *last == group) {
            Some((_, names)) => names.push(name),
            None => groups.push((group, vec![name])),
        }
    }
    let mut table = String::from("| about | checks |\n|---|---|\n");
    for (group, names) in groups {
        writeln!(table, "| {group} | {} |", names.join(", ")).expect("memory");
    }
    table
}
