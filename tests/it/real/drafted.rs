//! `orch handoff create` in a real working tree: what orch itself collects and seals must pass.

use std::process::Command;

use super::handover::Work;
use super::lanes::{Lanes, task};
use super::tally::Tally;
use crate::support::{ORCH, TestRepo};

/// How many working trees of a kind are filled for one repository.
const LIMIT: usize = 12;

/// Hands the work over with the program, commits that, and judges it as of now.
pub(super) fn create(work: &Work<'_>, odd: bool, tally: &mut Tally) {
    let kind = match odd {
        true => "working trees whose work holds a link, a submodule or an empty file",
        false => "working trees whose work holds plain files alone",
    };
    if tally.counts.get(kind).is_some_and(|count| *count >= LIMIT) {
        return;
    }
    tally.count(kind);
    let real = &work.real.repo;
    let desk = real.beside("desk");
    if !desk.path().exists() {
        let [from, to] = [real.path(), desk.path()].map(|path| path.display().to_string());
        real.git(&["clone", "--quiet", "--shared", "--no-checkout", &from, &to]);
    }
    let branch = Lanes::branch(work.lane);
    let out = desk.try_git(&["checkout", "--quiet", "--force", "--detach", &work.done]);
    if !out.status.success() {
        return tally.count("working trees that Git could not fill");
    }
    desk.git(&["clean", "-ffdxq"]);
    desk.git(&["branch", "--force", "main", &work.base]);
    desk.git(&["checkout", "--quiet", "--force", "-B", &branch]);
    let author = real.git(&["log", "-1", "--format=%ae", work.like]);
    let desk = desk.with_variable("GIT_AUTHOR_EMAIL", author);
    let message = work.message();
    let (code, said) = orch(&desk, &["handoff", "create", &task(work.lane), "--message", &message]);
    *tally.exits.entry(("handoff create", code)).or_default() += 1;
    if code != Some(0) {
        return tally.complaints.push(format!("{}, handoff create: {said}", work.name));
    }
    desk.git(&["commit", "--quiet", "--no-verify", "-m", "Hand over"]);
    let (code, said) = orch(&desk, &["guard", "--base", "main"]);
    *tally.exits.entry(("what it sealed", code)).or_default() += 1;
    tally.expect(code == Some(0), || format!("{}, what it sealed: {said}", work.name));
}

fn orch(desk: &TestRepo, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(ORCH);
    command.args(arguments).env_clear().envs(desk.variables()).current_dir(desk.path());
    let output = command.env("ORCH_AGENT", "worker").output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
