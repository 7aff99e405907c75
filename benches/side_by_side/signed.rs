//! A thousand signed handoffs, with what they hand over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bench::{Bench, PACKAGE, live};
use super::result::Row;
use super::support::{Repo, Size, git};
use super::timing::Contender;
use super::verify;

/// Target 9: `in-toto-verify` with one layout of a thousand steps, and an inspection of the same files.
pub(crate) fn rows(bench: &mut Bench) {
    if !bench.wants("signed") {
        return;
    }
    let size = Size { signed: true, open: 0, ..live(1_000, 1_000) };
    let repo = bench.repository(size);
    let mut contenders = vec![verify::contenders().1, verify::warm()];
    let made = layout(bench, &repo);
    if let Some((program, files)) = &made {
        let script = format!(
            "{} --layout ../root.layout --verification-keys ../owner.pub --link-dir ../links",
            program.display()
        );
        contenders.push(Contender::new("in-toto-verify", script).within(files));
    }
    let mut row = Row::race("signed 1k", &repo.path, &contenders);
    row.at_least(9, "in-toto-verify", verify::COLD, 20.0);
    row.note = match made {
        Some(_) => "the same 1,000 artifacts; in-toto verifies 1,000 signed links and their layout, orch 1,000 \
                    signed handoffs (Ed25519 both) among 4,000 records, whose order, chain and commits it \
                    verifies too"
            .into(),
        None => "in-toto is not installed".into(),
    };
    bench.tell(row);
}

/// Makes a layout over the artifacts of a repository; gives the verifier, and the folder it runs in.
fn layout(bench: &Bench, repo: &Repo) -> Option<(PathBuf, PathBuf)> {
    let (verifier, python) = (bench.peer("in-toto-verify")?, bench.python("in_toto")?);
    let top = PathBuf::from(format!("{}.intoto", repo.path.display()));
    let files = top.join("files");
    drop(fs::remove_dir_all(&top));
    fs::create_dir_all(&files).expect("a folder can be made");
    let archive = top.join("files.tar").display().to_string();
    git(&repo.path, &["archive", "--output", &archive, "main:data/manifests"]);
    let script = Path::new(PACKAGE).join("benches/peers/make_intoto.py");
    for command in [
        Command::new("tar").args(["-xf", &archive, "-C"]).arg(&files),
        Command::new(&python).arg(script).arg(&files),
    ] {
        assert!(command.status().is_ok_and(|status| status.success()), "{command:?}");
    }
    Some((verifier, files))
}
