//! Ten thousand records held against their schema.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bench::{Bench, PACKAGE, live};
use super::result::Row;
use super::support::Repo;
use super::timing::Contender;
use super::verify;

/// Target 5: `check-jsonschema` over the handoffs. No command of orch does only that.
pub(crate) fn rows(bench: &mut Bench) {
    if !bench.wants("schema") {
        return;
    }
    let repo = bench.repository(live(13_000, 10_000));
    let mut contenders = vec![verify::contenders().1, verify::warm()];
    let checker = bench.peer("check-jsonschema");
    if let Some(checker) = &checker {
        let files = handoffs(&repo);
        let schema = Path::new(PACKAGE).join("schemas/handoff.schema.json");
        let script = format!(
            "xargs -0 -s 2000000 {} --schemafile {} < handoffs",
            checker.display(),
            schema.display()
        );
        contenders.push(Contender::new("check-jsonschema", script).within(&files));
    }
    let mut row = Row::race("schema 10k", &repo.path, &contenders);
    row.at_least(5, "check-jsonschema", verify::COLD, 80.0);
    row.note = match checker {
        Some(_) => {
            "`check-jsonschema` reads the 10,000 handoffs alone; no command of orch stops at the \
                    schema, so `orch verify` reads all 40,000 records, and does everything else too"
                .into()
        }
        None => "check-jsonschema is not installed".into(),
    };
    bench.tell(row);
}

/// Writes the handoffs of a repository to a folder, with a list of them.
fn handoffs(repo: &Repo) -> PathBuf {
    let folder = PathBuf::from(format!("{}.handoffs", repo.path.display()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let folder_name = folder.display();
    let script = format!(
        "git ls-files -z '.orch/tasks/*/data-*-handoff.yaml' > {folder_name}/handoffs && \
         git checkout-index -z --stdin --prefix={folder_name}/ < {folder_name}/handoffs"
    );
    let status = Command::new("sh").args(["-c", &script]).current_dir(&repo.path).status();
    assert!(status.is_ok_and(|status| status.success()), "{script}");
    folder
}
