//! Files that are written from what the program says.

use std::fs;
use std::path::Path;

/// Compares a file, named from the top of the repository, with what it should hold. Where it differs it is
/// written anew and the test fails once, so that the diff can be read; in CI it is only compared.
pub(crate) fn is_current(name: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found != expected && std::env::var_os("CI").is_none() {
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("writable");
        fs::write(&file, expected).expect("writable");
    }
    assert!(found == expected, "not current: {name}; read the diff and run again");
}
