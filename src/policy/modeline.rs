//! Where editors find the schemas of what is written.

use serde::Deserialize;

use crate::record::{self, Envelope, Payload, RecordPath, belongs_to_orch};
use crate::source::RepoPath;

/// A folder of the repository, or an address, below which each kind has its `KIND.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "String"))]
pub enum Schemas {
    /// A folder.
    Folder(RepoPath),
    /// An address of the web.
    Address(String),
}

impl TryFrom<String> for Schemas {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let place = text.strip_suffix('/').unwrap_or(&text);
        if let Some((scheme, rest)) = text.split_once("://") {
            let whole = ["http", "https"].contains(&scheme)
                && !rest.is_empty()
                && rest.chars().all(|c| c.is_ascii_graphic() && !"\"?#@".contains(c));
            let address = whole.then(|| Schemas::Address(place.to_owned()));
            return address.ok_or_else(|| {
                "an address begins with https://, and has no user, no `?`, no `#` and no blanks: \
                 everybody reads it"
                    .into()
            });
        }
        let help =
            "name one such as docs/schemas, or an address such as https://example.org/schemas";
        match RepoPath::canonical(place) {
            Ok(path) if belongs_to_orch(&path) => {
                Err(format!("`.orch/` holds only records; {help}"))
            }
            Ok(_) if place.contains([' ', '"']) => {
                Err(format!("this folder's name would break the line; {help}"))
            }
            Ok(path) => Ok(Schemas::Folder(path)),
            Err(fault) => Err(format!("{fault}; {help}")),
        }
    }
}

impl std::str::FromStr for Schemas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Schemas::try_from(text.to_owned())
    }
}

impl std::fmt::Display for Schemas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Schemas::Folder(folder) => write!(f, "{folder}"),
            Schemas::Address(address) => f.write_str(address),
        }
    }
}

impl Schemas {
    /// Gives the line with which a file of a kind leads editors to its schema, from where the file lies.
    pub fn modeline(&self, file: &RepoPath, kind: &str) -> String {
        let above = match self {
            Schemas::Folder(_) => {
                "../".repeat(file.as_bytes().iter().filter(|byte| **byte == b'/').count())
            }
            Schemas::Address(_) => String::new(),
        };
        format!("# yaml-language-server: $schema={above}{self}/{kind}.schema.json\n")
    }
}

/// Gives a record's bytes: one document, behind the line that leads editors to its schema, where a policy
/// names a place for these.
pub fn write(
    schemas: Option<&Schemas>,
    path: &RecordPath,
    payload: &Payload,
    entry: &Envelope,
) -> String {
    let line = schemas.map(|schemas| schemas.modeline(&path.path, payload.word()));
    line.unwrap_or_default() + &record::write(payload, entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(place: &str, file: &str) -> String {
        let schemas: Schemas = place.parse().expect("a place");
        schemas.modeline(&file.into(), "task")
    }

    #[test]
    fn a_folder_is_seen_from_the_file() {
        let file = ".orch/tasks/2026-11/strat-001/0001-task.yaml";
        let expected =
            "# yaml-language-server: $schema=../../../../docs/schemas/task.schema.json\n";
        assert_eq!(line("docs/schemas", file), expected);
        assert_eq!(line("docs/schemas/", file), expected);
        let near = line("docs/schemas", ".orch/policy.yaml");
        assert_eq!(near, "# yaml-language-server: $schema=../docs/schemas/task.schema.json\n");
    }

    #[test]
    fn an_address_is_the_same_from_everywhere() {
        let expected = "# yaml-language-server: $schema=https://example.org/v1/task.schema.json\n";
        assert_eq!(line("https://example.org/v1", ".orch/decisions/a.yaml"), expected);
    }

    #[test]
    fn what_would_break_the_line_is_refused() {
        for bad in [
            "",
            "/",
            "/etc",
            "../x",
            "a b",
            "ftp://x",
            "https://",
            "https://x\ny",
            "a\u{202e}b",
            "a\"b",
            ".orch",
            ".ORCH/schemas",
            "https://ada:secret@x.org/s",
            "https://x.org/s?token=a",
            "https://x.org/s#a",
        ] {
            assert!(bad.parse::<Schemas>().is_err(), "{bad:?}");
        }
    }
}
