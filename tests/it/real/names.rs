//! The names of real branches, as merge commits tell them, with what those branches brought.

use std::collections::BTreeSet;

use super::Real;
use super::judge::PROTECTED;
use super::tally::Tally;
use crate::snapshot::raw_diff;

/// How many names are tried.
const COUNT: usize = 120;

/// Judges what merged branches brought under their own names: no run names them, so that lanes are
/// closed to them; else only a name that no pattern can say is refused, once.
pub(super) fn branches(real: &Real, tally: &mut Tally) {
    let flags = ["log", "--remotes", "--merges", "--format=%H %s"];
    let printed = real.repo.git(&flags);
    let mut seen = BTreeSet::new();
    let merges = printed.lines().filter_map(|line| line.split_once(' '));
    let named = merges.filter_map(|(id, subject)| Some((id, name(subject)?)));
    let named: Vec<(&str, &str)> = named.filter(|(_, name)| seen.insert(*name)).collect();
    for (id, name) in named.iter().step_by(named.len() / COUNT + 1) {
        branch(real, id, name, tally);
    }
}

/// Gives the branch that a merge names.
fn name(subject: &str) -> Option<&str> {
    if let Some(pull) = subject.strip_prefix("Merge pull request #") {
        let (_, place) = pull.split_once(" from ")?;
        // Before the first slash stands whose fork it is.
        return place.split_whitespace().next()?.split_once('/').map(|(_, branch)| branch);
    }
    let told = subject.strip_prefix("Merge branch '");
    let told = told.or_else(|| subject.strip_prefix("Merge remote-tracking branch '"));
    told?.split('\'').next().filter(|name| !name.is_empty())
}

fn branch(real: &Real, id: &str, name: &str, tally: &mut Tally) {
    let merge = real.history.commits.iter().find(|commit| commit.id == id).unwrap();
    let [into, from] = [0, 1].map(|at| real.replayed[merge.parents[at]].as_str());
    let Some(shared) = super::merge_base(&real.repo, into, from) else { return };
    let changes = raw_diff(&real.repo, &["diff-tree", "-r", &shared, from]);
    if changes.is_empty() {
        return;
    }
    let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
    let told = if name == PROTECTED {
        "branches called like the protected one"
    } else {
        let owned = changes.iter().filter(|change| real.lanes.owner(&change.path).is_some());
        expected.extend(owned.map(|change| ("lane-violation".into(), change.path.to_string())));
        if can_be_said(name) {
            "branches whose name a pattern can say"
        } else {
            expected.insert(("branch-name".into(), changes[0].path.to_string()));
            tally.unsaid.push(name.to_owned());
            "branches whose name no pattern can say"
        }
    };
    tally.count(told);
    let said = real.guard(into, from, name);
    *tally.exits.entry((told, said.code)).or_default() += 1;
    let bases = real.repo.git(&["merge-base", "--all", into, from]);
    let same = said.found == expected || bases.lines().count() > 1;
    let code = said.code == Some(i32::from(!said.found.is_empty()));
    tally.expect(same && code, || format!("branch {name:?} of {id}: {}", said.printed));
}

/// Tells, without any pattern, whether the policy's patterns can say a name.
fn can_be_said(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let slug = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(plain)
    };
    let task = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && (2..=63).contains(&part.len())
            && part.chars().all(|c| plain(c) || c == '.')
    };
    let parts: Vec<&str> = name.split('/').collect();
    parts.len() <= 2 && parts.iter().all(|part| slug(part))
        || parts.len() <= 4 && parts.iter().all(|part| task(part))
}
