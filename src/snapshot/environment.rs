//! What Git told its hook through the environment, as a value that the library can be handed.
//!
//! The library reads no variables by itself, so that a test, or a second repository, is never
//! judged with those of the first (attack 62).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The variables of the process that asks, and how far they are to be believed.
///
/// Honoured are `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE` (the temporary index of `git commit
/// -a`), `GIT_COMMON_DIR`, `GIT_CEILING_DIRECTORIES`, the places of the user's and the system's
/// configuration, and `GITHEAD_<oid>` (the parents in a `pre-merge-commit` hook). Configuration
/// out of the environment (`GIT_CONFIG_COUNT`, `GIT_CONFIG_PARAMETERS`), `GIT_NAMESPACE` and
/// replaced objects are not. Where objects lie is believed only [`within a
/// quarantine`](GitEnvironment::within_quarantine).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    variables: BTreeMap<OsString, OsString>,
    quarantine: bool,
}

impl GitEnvironment {
    /// Takes all variables of the process, not only Git's: a `git` that is started gets the same.
    pub fn from_vars(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        GitEnvironment { variables: variables.into_iter().collect(), quarantine: false }
    }

    /// Believes `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES`, as a `pre-receive`
    /// hook must: what is pushed lies in a quarantine until the hook accepts it.
    #[must_use]
    pub fn within_quarantine(mut self) -> Self {
        self.quarantine = true;
        self
    }

    /// Gives a variable that is set and not empty.
    pub(super) fn value(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|text| !text.is_empty())
    }

    /// Gives a variable that names a file or a folder.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    /// Gives a variable that lists folders, absolute ones only.
    pub(super) fn folders(&self, name: &str) -> Vec<PathBuf> {
        let listed = self.value(name).unwrap_or_default();
        std::env::split_paths(listed).filter(|folder| folder.is_absolute()).collect()
    }

    /// Tells whether a variable says yes, in the words that Git takes.
    pub(super) fn is_on(&self, name: &str) -> bool {
        let text = self.value(name).and_then(OsStr::to_str).unwrap_or_default();
        ["1", "true", "yes", "on"].iter().any(|yes| text.eq_ignore_ascii_case(yes))
    }

    /// Gives the object folder of the quarantine and those that Git reads beside it.
    pub(super) fn quarantine(&self) -> Option<(PathBuf, Vec<PathBuf>)> {
        let objects = self.path("GIT_OBJECT_DIRECTORY").filter(|_| self.quarantine)?;
        Some((objects, self.folders("GIT_ALTERNATE_OBJECT_DIRECTORIES")))
    }

    /// Gives the hex names of the commits that a `git merge` announces as `GITHEAD_<oid>`.
    pub(super) fn merge_heads(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().filter_map(|name| name.to_str()?.strip_prefix("GITHEAD_"))
    }

    /// Gives all variables, for a `git` that is started.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.variables.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> GitEnvironment {
        GitEnvironment::from_vars(variables.iter().map(|(name, text)| (name.into(), text.into())))
    }

    /// Attack 62: where objects lie is not believed unless a pre-receive hook asks.
    #[test]
    fn a_quarantine_counts_only_when_asked_for() {
        let environment = environment(&[
            ("GIT_OBJECT_DIRECTORY", "/srv/q"),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/srv/a:/srv/b"),
        ]);
        assert_eq!(environment.quarantine(), None);
        let (objects, others) = environment.within_quarantine().quarantine().expect("asked for");
        assert_eq!(objects, PathBuf::from("/srv/q"));
        if cfg!(unix) {
            assert_eq!(others, [PathBuf::from("/srv/a"), PathBuf::from("/srv/b")]);
        }
    }

    #[test]
    fn an_empty_variable_is_none() {
        let environment = environment(&[("GIT_DIR", ""), ("GIT_CONFIG_NOSYSTEM", "True")]);
        assert_eq!(environment.path("GIT_DIR"), None);
        assert!(environment.is_on("GIT_CONFIG_NOSYSTEM"));
        assert!(!environment.is_on("GIT_DIR"));
    }
}
