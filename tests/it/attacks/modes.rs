//! Group C, what stands at a path: links, submodules, pointers, converted files.

use super::seen::{Seen, ci, commit, guard, orch, smuggled};
use super::stages::{begun, delivered, handed_over, sealed};
use crate::support::{CODE, DOCUMENT, REPORT, Team};

attacks![
    link_out(44, "an artifact that is a link out of the repository", Deny, ["artifact-irregular"]),
    linked_folder(45, "an artifact below a linked folder", Deny, ["artifact-irregular"]),
    file_becomes_link(
        46,
        "a file that becomes a link with the same bytes",
        Deny,
        ["artifact-irregular", "handoff-stale"]
    ),
    only_on_disk(47, "an artifact that lies only on its author's disk", Deny, ["artifact-missing"]),
    new_submodule(
        49,
        "a new submodule in one's own lane",
        Deny,
        ["artifact-irregular", "path-unowned"]
    ),
    inside_a_submodule(
        50,
        "an artifact inside a submodule that nobody fetched",
        Deny,
        ["artifact-irregular"]
    ),
    pointer(51, "a Git LFS pointer whose oid was sealed, smudged or not", Ok, []),
    forged_pointer(51, "a pointer to other bytes", Deny, ["checksum-mismatch"]),
    converted_files(53, "line ends, encodings, keywords and filters in the working tree", Ok, []),
    many_paths(55, "one foreign path among a hundred thousand", Deny, ["lane-violation"]),
];

/// Commits what is staged, past the hooks, and asks as CI does.
fn slipped(team: &Team) -> Seen {
    team.repo.commit_staged("Past the hooks");
    ci(team)
}

/// Puts a link where a file was.
fn link(team: &Team, path: &str, target: &str) {
    let link = team.repo.path().join(path);
    if link.is_dir() {
        std::fs::remove_dir_all(&link).unwrap();
    } else {
        std::fs::remove_file(&link).unwrap();
    }
    std::os::unix::fs::symlink(target, link).unwrap();
}

fn link_out() -> Vec<Seen> {
    ["/etc/hostname", "../../../outside", "../../README.md"]
        .map(|target| {
            let team = sealed();
            link(&team, CODE, target);
            smuggled(&team)
        })
        .into()
}

fn linked_folder() -> Vec<Seen> {
    let team = sealed();
    let outside = team.repo.root().join("outside");
    let folder = CODE.rsplit_once('/').unwrap().0;
    std::fs::rename(team.repo.path().join(folder), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, team.repo.path().join(folder)).unwrap();
    assert!(team.read(CODE).starts_with("plot"), "the file is still to be read there");
    vec![smuggled(&team)]
}

fn file_becomes_link() -> Vec<Seen> {
    [sealed(), handed_over(), delivered()]
        .map(|team| {
            if team.repo.git(&["branch", "--show-current"]) == "main" {
                team.repo.git(&["switch", "--quiet", "--create", "feature/strat-001-link"]);
            }
            let blob = team.repo.git(&["rev-parse", &format!(":{CODE}")]);
            team.repo.git(&["update-index", "--cacheinfo", &format!("120000,{blob},{CODE}")]);
            slipped(&team)
        })
        .into()
}

fn only_on_disk() -> Vec<Seen> {
    let untracked = sealed();
    untracked.repo.git(&["rm", "--quiet", "--cached", CODE]);
    let refused = commit(&untracked);
    let ignored = sealed();
    ignored.repo.git(&["rm", "--quiet", "--cached", DOCUMENT]);
    ignored.edit(".gitignore", "/logs", "*.md\n/logs");
    assert!(ignored.repo.path().join(DOCUMENT).exists());
    // What is only meant to be added is in the index, and in no commit.
    let meant = sealed();
    meant.repo.git(&["rm", "--quiet", "--cached", CODE]);
    meant.repo.git(&["add", "--intent-to-add", CODE]);
    let intended = [guard(&meant, &[]), commit(&meant), slipped(&meant)];
    let all = [refused, slipped(&untracked), smuggled(&ignored)];
    all.into_iter().chain(intended).collect()
}

/// Makes another repository beside the team's; gives its path and its commit.
fn library(team: &Team) -> (String, String) {
    let library = team.repo.beside("library");
    team.repo.git(&["init", "--quiet", "../library"]);
    library.write("sma.pine", "plot(close)\n");
    let commit = library.commit("Begin");
    (library.path().display().to_string(), commit)
}

fn new_submodule() -> Vec<Seen> {
    let undeclared = begun();
    let (_, vendor) = library(&undeclared);
    let node = format!("160000,{vendor},strategies/vendor");
    undeclared.repo.git(&["update-index", "--add", "--cacheinfo", &node]);
    let declared = begun();
    let (url, _) = library(&declared);
    declared.repo.git(&["submodule", "--quiet", "add", &url, "strategies/vendor"]);
    vec![commit(&undeclared), slipped(&undeclared), commit(&declared), slipped(&declared)]
}

/// No checkout changes that: what lies in another repository can't be sealed here.
fn inside_a_submodule() -> Vec<Seen> {
    let team = sealed();
    let (url, _) = library(&team);
    team.repo.git(&["submodule", "--quiet", "add", &url, "strategies/vendor"]);
    team.edit(&team.record("strat-001", "handoff"), CODE, "strategies/vendor/sma.pine");
    team.smuggle("Seal what is elsewhere");
    let cloned = team.clone_to("clone");
    vec![ci(&team), guard(&cloned, &["--base", "origin/main"])]
}

fn lfs_pointer(digest: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize {size}\n")
}

/// A team whose code is kept by Git LFS: Git holds the pointer.
fn by_pointer() -> Team {
    let team = begun();
    team.write_strategy();
    let pointer = lfs_pointer(&team.digest(CODE), team.read(CODE).len());
    team.repo.write(CODE, pointer);
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    team
}

fn pointer() -> Vec<Seen> {
    let team = by_pointer();
    let unsmudged = guard(&team, &[]);
    team.repo.git(&["update-index", "--assume-unchanged", CODE]);
    team.write_strategy();
    assert!(team.read(&team.record("strat-001", "handoff")).contains(&team.digest(CODE)));
    vec![unsmudged, guard(&team, &[]), commit(&team), ci(&team)]
}

fn forged_pointer() -> Vec<Seen> {
    let forged = by_pointer();
    let other = lfs_pointer(&forged.digest(DOCUMENT), 7);
    forged.repo.write(CODE, other);
    // What only looks like a pointer is a file like any other.
    let torn = by_pointer();
    torn.repo.write(CODE, torn.read(CODE) + "extra\n");
    vec![smuggled(&forged), smuggled(&torn)]
}

fn converted_files() -> Vec<Seen> {
    let team = begun();
    team.repo.git(&["config", "core.autocrlf", "true"]);
    team.repo.git(&["config", "filter.loud.clean", "tr A-Z a-z"]);
    team.repo.git(&["config", "filter.loud.smudge", "tr a-z A-Z"]);
    let rules = "*.pine text ident filter=loud\n*.md text working-tree-encoding=UTF-16LE\n";
    team.repo.write(".gitattributes", rules);
    team.repo.write(CODE, "// $Id$\r\nPLOT(CLOSE)\r\n");
    let utf16: Vec<u8> = "# Average\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    team.repo.write(DOCUMENT, utf16);
    team.repo.git(&["add", "--all"]);
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    let (staged, committed) = (guard(&team, &[]), commit(&team));
    // A fresh checkout spells the files otherwise, and Git's blobs stay what they are.
    team.repo.git(&["rm", "--quiet", "--cached", "-r", "strategies", "docs"]);
    team.repo.git(&["reset", "--quiet", "--hard"]);
    let verify = orch(&team, "", &["handoff", "verify", "strat-001"]);
    vec![staged, committed, ci(&team), verify]
}

/// Written by `fast-import`, as so many files would take Git longer than the guard.
fn many_paths() -> Vec<Seen> {
    let team = begun();
    let branch = "refs/heads/feature/strat-001-strategy";
    let mut stream = format!(
        "blob\nmark :1\ndata 2\nx\n\ncommit {branch}\n\
         committer Carl Committer <carl@example.org> 1795300000 +0000\n\
         data 4\nMany\nfrom {branch}^0\n"
    );
    for number in 0..100_000 {
        let folder = number / 500;
        stream.push_str(&format!("M 100644 :1 strategies/{folder}/{number}.pine\n"));
    }
    let import = |stream: &str| team.repo.git_bytes(&["fast-import", "--quiet"], stream.as_bytes());
    import(&stream);
    team.guard(&["--base", "main"]).passed();
    import(&format!(
        "commit {branch}\ncommitter Carl Committer <carl@example.org> 1795300060 +0000\n\
         data 4\nMore\nfrom {branch}^0\nM 100644 inline {REPORT}\ndata 2\n{{}}\n"
    ));
    vec![ci(&team)]
}
