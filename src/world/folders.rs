//! The folders of all tasks, by month: a hundred thousand names, looked up without being taken apart.

use std::cmp::Ordering;

use crate::source::{RepoPath, TaskId};

/// The folder of every task.
#[derive(Debug, Default)]
pub struct Folders {
    months: Vec<Month>,
}

/// The tasks of one month.
#[derive(Debug)]
struct Month {
    shelf: RepoPath,
    names: Names,
}

/// Names of folders, sorted without regard to case, one a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(String);

impl Names {
    /// Takes names in any order.
    pub(super) fn of(mut names: Vec<&str>) -> Self {
        names.sort_by(|one, other| in_order(one, other));
        Names(names.into_iter().flat_map(|name| [name, "\n"]).collect())
    }

    /// Takes the names of folders. One with a line break is no id, and nobody finds it by one.
    pub(super) fn of_folders<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Names::of(names.filter(|name| !name.contains('\n')).collect())
    }

    /// Takes names as [`Names::as_str`] gave them; none if they are no such lines, in their order.
    pub(super) fn from_kept(text: &str) -> Option<Self> {
        let names = text.split_terminator('\n');
        let whole = text.is_empty() || text.ends_with('\n');
        let ordered = names.is_sorted_by(|one, other| in_order(one, other).is_le());
        (whole && ordered).then(|| Names(text.to_owned()))
    }

    /// Gives all of them, one a line.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split_terminator('\n')
    }

    /// Finds a name without regard to case; the last, if several differ by case alone.
    fn find(&self, id: &str) -> Option<&str> {
        let text = self.0.as_bytes();
        // All lines that begin before `low` are at most `id`, all from `high` on are more.
        let (mut low, mut high) = (0, text.len());
        let mut found = None;
        while low < high {
            let middle = usize::midpoint(low, high);
            let begin =
                text[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let length = text[begin..].iter().position(|byte| *byte == b'\n')?;
            let name = &self.0[begin..begin + length];
            let ordered = name.bytes().map(|byte| byte.to_ascii_lowercase());
            if ordered.le(id.bytes().map(|byte| byte.to_ascii_lowercase())) {
                found = Some(name);
                low = begin + length + 1;
            } else {
                high = begin;
            }
        }
        found.filter(|name| name.eq_ignore_ascii_case(id))
    }
}

/// Compares names without regard to case.
fn in_order(one: &str, other: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).cmp(other.bytes().map(lower))
}

impl Folders {
    /// Adds the tasks of one month; `shelf` is its folder.
    pub(super) fn add(&mut self, shelf: RepoPath, names: Names) {
        self.months.push(Month { shelf, names });
    }

    /// Gives a task's folder, whatever the case in which its id is written.
    pub fn get(&self, id: &str) -> Option<RepoPath> {
        let mut months = self.months.iter().rev();
        months.find_map(|month| Some(month.shelf.join(month.names.find(id)?)))
    }

    /// Gives the folder of the task whose id is spelled like this: in another case it names nothing.
    pub fn spelled(&self, id: &TaskId) -> Option<RepoPath> {
        self.get(id.as_str()).filter(|folder| folder.file_name() == id.as_str())
    }

    /// Tells whether there is such a task, whatever the case in which its id is written.
    pub fn contains(&self, id: &str) -> bool {
        self.months.iter().any(|month| month.names.find(id).is_some())
    }

    /// Gives how many tasks there are.
    pub fn len(&self) -> usize {
        self.months.iter().map(|month| month.names.iter().count()).sum()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.months.iter().all(|month| month.names.0.is_empty())
    }

    /// Gives the names of the folders of a month, such as `2026-11`, and of later ones.
    pub(super) fn names_since(&self, month: &str) -> impl Iterator<Item = &str> {
        let first = self.months.partition_point(|known| *known.shelf.file_name() < *month);
        self.months[first..].iter().flat_map(|month| month.names.iter())
    }

    /// Gives the folder of every month, with the names of the tasks in it, the earliest first.
    pub(super) fn shelves(&self) -> impl Iterator<Item = (&RepoPath, impl Iterator<Item = &str>)> {
        self.months.iter().map(|month| (&month.shelf, month.names.iter()))
    }

    /// Gives the names of all folders, those of the earliest month first.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.months.iter().flat_map(|month| month.names.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_task_is_found_in_any_case() {
        let mut folders = Folders::default();
        folders.add("2026-10".into(), Names::of(vec!["b-2", "A-1", "strat-001"]));
        folders.add("2026-11".into(), Names::of(vec!["c-1"]));
        assert_eq!(folders.get("a-1"), Some("2026-10/A-1".into()));
        assert_eq!(folders.get("C-1"), Some("2026-11/c-1".into()));
        assert_eq!(folders.get("a"), None);
        let spelled = |id: &str| folders.spelled(&id.parse().expect("an id"));
        assert_eq!((spelled("A-1"), spelled("a-1")), (Some("2026-10/A-1".into()), None));
        assert!(folders.contains("STRAT-001") && !folders.contains("strat-00"));
        assert_eq!((folders.len(), folders.is_empty()), (4, false));
        assert_eq!(folders.names().last(), Some("c-1"));
    }

    #[test]
    fn what_is_kept_out_of_order_is_not_believed() {
        assert!(Names::from_kept("a\nB\nc\n").is_some() && Names::from_kept("").is_some());
        for bad in ["b\na\n", "a\nb"] {
            assert_eq!(Names::from_kept(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_found_and_no_other(
            names in prop::collection::btree_set("[a-zA-Z][a-z0-9.-]{0,4}", 0..40),
            other in "[a-z0-9.-]{0,4}",
        ) {
            let kept = Names::of(names.iter().map(String::as_str).collect());
            let again = Names::from_kept(kept.as_str());
            prop_assert_eq!(again.as_ref(), Some(&kept));
            for name in &names {
                let found = kept.find(&name.to_ascii_uppercase());
                prop_assert!(found.is_some_and(|found| found.eq_ignore_ascii_case(name)));
            }
            let known = names.iter().any(|name| name.eq_ignore_ascii_case(&other));
            prop_assert_eq!(kept.find(&other).is_some(), known);
        }
    }
}
