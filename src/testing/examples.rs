//! Every example of every check is told: a bad one is refused by its check alone, a good one passes.

use super::story;
use crate::checks;

#[test]
fn every_example_shows_what_it_says() {
    for check in checks::ALL {
        let (bad, good) = (examples(check.explain, "bad"), examples(check.explain, "good"));
        assert!(!bad.is_empty() && !good.is_empty(), "{} lacks an example", check.name);
        for example in bad {
            eprintln!("{} bad:\n{example}", check.name);
            story(example).expect(&[check.name]);
        }
        for example in good {
            eprintln!("{} good:\n{example}", check.name);
            story(example).expect(&[]);
        }
    }
}

fn examples<'text>(explain: &'text str, mark: &str) -> Vec<&'text str> {
    let fence = format!("```yaml {mark}\n");
    explain.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or(rest)).collect()
}

#[test]
fn names_are_unique_and_sorted_into_groups() {
    let mut names: Vec<_> = checks::ALL.iter().map(|check| check.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two checks of one name");
    assert!(checks::ALL.is_sorted_by_key(|check| check.group), "the slice follows the groups");
}
