//! Random histories, on which orch and a naive reading of every tree must say the same.

use std::collections::{BTreeMap, BTreeSet};

use orch::diagnostic::Report;
use orch::guard::guard;
use orch::snapshot::{GitRepository, Proposal};
use orch::source::Moment;

use crate::support::{Random, Team, TestRepo};

/// The files of a commit: mode and text, by path.
type Files = BTreeMap<String, (&'static str, String)>;

/// What nobody can read: it may be mended or go.
const TORN: &str = "torn: [";

/// A commit that is yet to be written.
#[derive(Clone)]
struct Commit {
    parents: Vec<usize>,
    files: Files,
}

/// A history that grows by chance.
struct Story {
    random: Random,
    commits: Vec<Commit>,
    tips: Vec<usize>,
    /// How many records there are; each has its own number, so that no two say the same.
    records: usize,
}

impl Story {
    fn new(seed: u64, policy: &str) -> Self {
        let files = Files::from([(".orch/policy.yaml".into(), ("100644", policy.into()))]);
        let commits = vec![Commit { parents: Vec::new(), files }];
        Story { random: Random::new(seed), commits, tips: vec![0], records: 0 }
    }

    /// Grows by some commits, of which one may tamper, and joins all that is open. Gives the place of
    /// the one that may have.
    fn grow(&mut self, length: usize, tampers: bool) -> Option<usize> {
        let tampering = tampers.then(|| 6 + self.random.below(length - 6));
        for number in 1..length {
            let mut commit = self.next();
            if Some(number) == tampering {
                self.tamper(&mut commit);
            }
            self.tips.retain(|tip| !commit.parents.contains(tip));
            self.commits.push(commit);
            self.tips.push(number);
        }
        let last = self.join(self.tips.clone());
        self.commits.push(last);
        tampering
    }

    /// An honest commit: on one tip, beside one, of several, or from nothing.
    fn next(&mut self) -> Commit {
        let tip = *self.random.pick(&self.tips);
        let any = self.random.below(self.commits.len());
        match self.random.below(8) {
            0 if self.tips.len() < 4 => self.work(Some(any)),
            1 if self.tips.len() < 4 => self.work(None),
            2 | 3 => self.join(vec![tip, any]),
            4 => self.join(vec![tip, any, *self.tips.last().unwrap()]),
            _ => self.work(Some(tip)),
        }
    }

    /// Goes on from a commit, or from nothing, with records and other files.
    fn work(&mut self, parent: Option<usize>) -> Commit {
        let mut files = parent.map_or_else(Files::new, |at| self.commits[at].files.clone());
        for _ in 0..=self.random.below(2) {
            self.records += 1;
            let number = self.records;
            let task = 1 + self.random.below(3);
            let entry = format!(".orch/tasks/2026-11/task-{task}/{number:04}-update.yaml");
            let update = format!(
                "update:\n  title: Title {number}\nentry:\n  sequence: {number}\n  \
                 recorded_at: 2026-11-21T10:00:00Z\n  actor: orchestrator\n"
            );
            match self.random.below(6) {
                0 => files.insert(entry, ("100644", format!("{TORN}{number}\n"))),
                1 => files.insert(format!("{entry}.sig"), ("100644", format!("{number}\n"))),
                2 => {
                    let path = format!(".orch/halts/halt-{number}/snapshot.json");
                    files.insert(path, ("100644", format!("{{\"number\": {number}}}\n")))
                }
                3 => files.insert("src/main.c".into(), ("100755", format!("{number}\n"))),
                _ => files.insert(entry, ("100644", update)),
            };
        }
        let torn = files.iter().filter(|(_, (_, text))| text.starts_with(TORN));
        let torn: Vec<String> = torn.map(|(path, _)| path.clone()).collect();
        if !torn.is_empty() && self.random.below(2) == 0 {
            files.remove(self.random.pick(&torn));
        }
        Commit { parents: parent.into_iter().collect(), files }
    }

    /// Merges as Git would: all that any parent has. A parent may be the ancestor of another.
    fn join(&mut self, mut parents: Vec<usize>) -> Commit {
        let mut seen = BTreeSet::new();
        parents.retain(|parent| seen.insert(*parent));
        let mut files = Files::new();
        for parent in &parents {
            for (path, file) in &self.commits[*parent].files {
                files.entry(path.clone()).or_insert_with(|| file.clone());
            }
        }
        Commit { parents, files }
    }

    /// Does something to a file of a parent; a merge may also take one parent's files alone.
    fn tamper(&mut self, commit: &mut Commit) {
        let parents = commit.parents.iter().map(|parent| &self.commits[*parent].files);
        let counts = |path: &str, text: &str| {
            path.starts_with(".orch/") && !path.ends_with("policy.yaml") && !text.starts_with(TORN)
        };
        let theirs = parents.flatten().filter(|(path, (_, text))| counts(path, text));
        let theirs: Vec<String> = theirs.map(|(path, _)| path.clone()).collect();
        if commit.parents.len() > 1 && self.random.below(3) == 0 {
            let ours = *self.random.pick(&commit.parents);
            let policy = commit.files.remove_entry(".orch/policy.yaml");
            commit.files = self.commits[ours].files.clone();
            commit.files.extend(policy);
            return;
        }
        if theirs.is_empty() {
            return;
        }
        let path = self.random.pick(&theirs).clone();
        let Some(file) = commit.files.get_mut(&path) else { return };
        match self.random.below(3) {
            0 => file.1.push_str("  \n"),
            1 => file.0 = "100755",
            _ => drop(commit.files.remove(&path)),
        }
    }

    /// Writes the history into a repository; gives the commits' hex names.
    fn write(&self, repo: &TestRepo) -> Vec<String> {
        let mut stream = String::new();
        for (number, Commit { parents, files }) in self.commits.iter().enumerate() {
            let date = 1_795_300_000 + 60 * number;
            let mark = number + 1;
            stream += &format!("commit refs/heads/c{number}\nmark :{mark}\n");
            stream += &format!("committer C <c@example.org> {date} +0000\ndata 1\nc\n");
            for (at, parent) in parents.iter().enumerate() {
                let word = if at == 0 { "from" } else { "merge" };
                stream += &format!("{word} :{}\n", parent + 1);
            }
            stream += "deleteall\n";
            for (path, (mode, text)) in files {
                stream += &format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len());
            }
        }
        repo.git_bytes(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        let names = (0..self.commits.len()).map(|number| format!("refs/heads/c{number}"));
        let names: Vec<String> = names.collect();
        let mut words = vec!["rev-parse"];
        words.extend(names.iter().map(String::as_str));
        repo.git(&words).lines().map(str::to_owned).collect()
    }
}

/// What a naive reader keeps of a commit: the files that must stay, with mode and object.
fn kept(repo: &TestRepo, commit: &str) -> BTreeMap<String, String> {
    let listed = repo.git(&["ls-tree", "-r", "--full-tree", commit, "--", ".orch"]);
    let files = listed.lines().map(|line| line.split_once('\t').unwrap());
    let files = files.filter(|(_, path)| !path.ends_with("policy.yaml"));
    files.map(|(node, path)| (path.to_owned(), node.to_owned())).collect()
}

/// The naive oracle: every tree of every commit, against every tree of every parent.
fn naively(repo: &TestRepo, head: &str) -> BTreeSet<(String, String)> {
    let listed = repo.git(&["rev-list", "--parents", head]);
    let trees: BTreeMap<&str, _> =
        listed.split_whitespace().map(|commit| (commit, kept(repo, commit))).collect();
    let mut torn = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for line in listed.lines() {
        let (commit, parents) = line.split_once(' ').unwrap_or((line, ""));
        for (path, node) in parents.split_whitespace().flat_map(|parent| &trees[parent]) {
            if trees[commit].get(path) == Some(node) {
                continue;
            }
            let object = node.split(' ').nth(2).unwrap();
            let is_torn = *torn
                .entry(object.to_owned())
                .or_insert_with(|| repo.git(&["cat-file", "blob", object]).starts_with(TORN));
            let readable = !is_torn && node.starts_with("100644");
            if readable || !path.ends_with(".yaml") {
                gone.insert((path.clone(), commit[..10].to_owned()));
            }
        }
    }
    gone
}

/// What orch says: which record, by which commit; none for what the ends of a range show. That a
/// person has to decide before what nobody could read is mended is another matter.
fn told(report: &Report) -> BTreeSet<(String, String)> {
    let found = report.findings.iter().filter(|finding| {
        finding.check == "record-modified" && !finding.message.contains("had landed unreadable")
    });
    let by = |message: &str| {
        let rest = message.strip_prefix("commit ").unwrap_or_default();
        rest.split(' ').next().unwrap().to_owned()
    };
    found.map(|finding| (finding.place.path.to_string(), by(&finding.message))).collect()
}

fn judge(git: &GitRepository, proposal: &Proposal) -> BTreeSet<(String, String)> {
    let at: Moment = "2026-12-01T00:00:00Z".parse().unwrap();
    told(&guard(git, proposal, at, false).unwrap())
}

/// Attacks 31, 67, 103: branches, merges of two and three, roots of their own, work on top of each
/// other, and at most one commit that tampers, in whatever way: all that it and those who took it over
/// did is told, and nothing else.
fn as_told_naively(seeds: std::ops::Range<u64>) {
    let policy = Team::new().read(".orch/policy.yaml");
    let (mut seen, mut ranges) = (0, 0);
    for seed in seeds {
        let mut story = Story::new(seed, &policy);
        let tampering = story.grow(24, seed % 4 != 0);
        let repo = TestRepo::new();
        let ids = story.write(&repo);
        let head = ids.last().unwrap();
        let git = repo.open();
        let expected = naively(&repo, head);
        assert!(tampering.is_some() || expected.is_empty(), "seed {seed}: {expected:?}");
        seen += usize::from(!expected.is_empty());
        let found = judge(&git, &git.verification(head, None).unwrap());
        assert_eq!(found, expected, "seed {seed}");
        for _ in 0..4 {
            let base = story.random.below(ids.len() - 1);
            if !story.commits[base].files.contains_key(".orch/policy.yaml") {
                continue;
            }
            let new = repo.git(&["rev-list", &format!("{}..{head}", ids[base])]);
            let new: BTreeSet<String> = new.lines().map(|id| id[..10].to_owned()).collect();
            let anchored = judge(&git, &git.verification(head, Some(&ids[base])).unwrap());
            let range = judge(&git, &git.range(&ids[base], head, None).unwrap());
            let inside = expected.iter().filter(|(_, commit)| new.contains(commit)).cloned();
            let inside: BTreeSet<_> = inside.collect();
            assert!(anchored.is_subset(&inside), "seed {seed}, base {base}: {anchored:?}");
            let does = tampering.map(|at| ids[at][..10].to_owned());
            let own: BTreeSet<_> = inside
                .iter()
                .filter(|(_, commit)| Some(commit) == does.as_ref())
                .cloned()
                .collect();
            assert!(anchored.is_superset(&own), "seed {seed}, base {base}: {anchored:?}");
            assert!(!range.is_empty() || own.is_empty(), "seed {seed}, base {base}");
            assert!(range.is_empty() || !inside.is_empty(), "seed {seed}, base {base}: {range:?}");
            ranges += usize::from(!own.is_empty());
        }
    }
    assert!(seen > 7 && ranges > 7, "too little was tampered with: {seen}, {ranges}");
}

#[test]
fn the_first_half_is_told_as_every_tree_tells_it() {
    as_told_naively(0..16);
}

#[test]
fn the_second_half_is_told_as_every_tree_tells_it() {
    as_told_naively(16..32);
}
