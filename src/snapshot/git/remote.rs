//! Refs of another repository: which there are, and the change of one in a single step, which happens
//! whole or not at all.

use gix::bstr::ByteSlice as _;

use super::GitRepository;
use super::command::Talk;
use crate::snapshot::{Fault, Oid};

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The ref is as it was asked for.
    Done,
    /// The ref was not as it was expected, or the server refuses: in Git's words.
    Refused(String),
}

impl GitRepository {
    /// Gives the refs of a remote whose full names begin with `prefix`, sorted by name. A remote that
    /// can't be reached is a fault.
    pub fn remote_refs(&self, remote: &str, prefix: &str) -> Result<Vec<(String, Oid)>, Fault> {
        let pattern = format!("{prefix}*");
        let said = self.ask_remote(remote, &["ls-remote", "--refs", "--", remote, &pattern])?;
        let mut refs = Vec::new();
        for line in said.lines() {
            let Some((hex, name)) = line.split_once('\t') else { continue };
            // Git takes a pattern for the end of a name.
            if let (Some(oid), true) = (Oid::from_hex(hex), name.starts_with(prefix)) {
                refs.push((name.to_owned(), oid));
            }
        }
        refs.sort();
        Ok(refs)
    }

    /// Brings objects of a remote here that no ref has to name; `FETCH_HEAD` stays as it is.
    pub fn fetch_objects(&self, remote: &str, oids: &[Oid]) -> Result<(), Fault> {
        let names: Vec<String> = oids.iter().map(Oid::to_string).collect();
        let fetch = |quietly: &[&str]| {
            let fetch = ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", "--quiet"];
            let flags = ["--no-tags", "--no-recurse-submodules"];
            let named = names.iter().map(String::as_str);
            let arguments = [&fetch, &flags[..], quietly, &["--", remote]].concat();
            self.ask_remote(remote, &arguments.into_iter().chain(named).collect::<Vec<_>>())
        };
        // A Git before 2.29 knows no such flag, and leaves its mark.
        fetch(&["--no-write-fetch-head"]).or_else(|fault| {
            match fault.message.contains("option") {
                true => fetch(&[]),
                false => Err(fault),
            }
        })?;
        Ok(())
    }

    /// Makes a commit of nothing, which only says something; no ref names it yet.
    pub fn empty_commit(&self, message: &str, parent: Option<Oid>) -> Result<Oid, Fault> {
        let tree = self.ask_git(&["mktree"], b"")?;
        let parent = parent.map(|oid| oid.to_string());
        let mut arguments = vec!["commit-tree", tree.trim(), "-F", "-"];
        arguments.extend(parent.iter().flat_map(|parent| ["-p", parent]));
        let made = self.ask_git(&arguments, message.as_bytes())?;
        Oid::from_hex(made.trim()).ok_or_else(|| {
            Fault::new("`git commit-tree` gives no commit", "run it by hand to see what it says")
        })
    }

    /// Changes a ref of a remote from `before` to `after`, where none means that it is not there. It
    /// changes only if it is as expected, which the server itself sees to. Local hooks are not asked:
    /// such a ref brings nothing onto a branch. A remote that can't be reached is a fault; then nobody
    /// knows what became of it.
    pub fn push_ref(
        &self,
        remote: &str,
        name: &str,
        before: Option<Oid>,
        after: Option<Oid>,
    ) -> Result<Pushed, Fault> {
        let hex = |oid: Option<Oid>| oid.map(|oid| oid.to_string()).unwrap_or_default();
        let lease = format!("--force-with-lease={name}:{}", hex(before));
        let change = format!("{}:{name}", hex(after));
        let flags = ["--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"];
        let arguments = [&["push"], &flags[..], &[&lease, "--", remote, &change]].concat();
        let output = self.git(&arguments, Talk::Listen)?;
        let said = output.stdout.to_str_lossy();
        match said.lines().find_map(|line| line.strip_prefix("!\t")) {
            Some(line) => Ok(Pushed::Refused(line.rsplit('\t').next().unwrap_or(line).to_owned())),
            None if output.status.success() => Ok(Pushed::Done),
            None => Err(unreachable(remote, &output.stderr)),
        }
    }

    fn ask_remote(&self, remote: &str, arguments: &[&str]) -> Result<String, Fault> {
        let output = self.git(arguments, Talk::Listen)?;
        match output.status.success() {
            true => Ok(output.stdout.to_str_lossy().into_owned()),
            false => Err(unreachable(remote, &output.stderr)),
        }
    }
}

/// Tells in Git's words why a remote gives no answer; warnings come before what matters.
fn unreachable(remote: &str, said: &[u8]) -> Fault {
    let said = said.to_str_lossy();
    let told = |line: &&str| ["fatal:", "error:"].iter().any(|word| line.starts_with(word));
    let first = said.lines().find(told).or_else(|| said.lines().find(|line| !line.is_empty()));
    let message = format!("the remote `{remote}` gives no answer: {}", first.unwrap_or("nothing"));
    Fault::new(message, "see `git remote -v`, and try again when it can be reached")
}
