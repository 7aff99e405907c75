//! The machine, as far as its figures depend on it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::bench::ORCH;

/// Gives the machine's load now, the mean of one minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// Tells of the machine, and of how busy it was when the run began and is now.
pub(crate) fn told(shelf: &Path, begun: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or("an unknown processor".into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|memory| memory.split(' ').next()?.parse::<f64>().ok())
        .map_or("memory unknown".into(), |kib| format!("{:.0} GiB", kib / 1024.0 / 1024.0));
    let kernel = said("uname", &["-sr"]);
    let disk = said("df", &["--output=fstype", &shelf.display().to_string()]);
    let disk = disk.lines().last().unwrap_or_default().to_owned();
    let (git, rustc) = (said("git", &["--version"]), said("rustc", &["--version"]));
    let (orch, now, day) = (said(ORCH, &["--version"]), load(), said("date", &["-u", "+%F"]));
    format!(
        "Measured on {day}: {processor}, {cores} cores, {memory}, {kernel}, {disk}; {git}, {orch}, {rustc}. \
         Load {begun} when it began, {now} when it ended.\n"
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
