//! `orch metrics --dashboards`: a Prometheus, a Grafana and the alerts, as files that run with Docker
//! Compose and can be taken apart by those who have their own.

use std::path::Path;

use super::Stop;
use super::files::write_whole;
use super::output::{say, say_lines};

/// The files, below the folder that is asked for.
const FILES: [(&str, &str); 8] = [
    ("docker-compose.yml", include_str!("../../templates/observability/docker-compose.yml")),
    ("prometheus.yml", include_str!("../../templates/observability/prometheus.yml")),
    ("alerts.yml", include_str!("../../templates/observability/alerts.yml")),
    ("alerts_test.yml", include_str!("../../templates/observability/alerts_test.yml")),
    (
        "grafana-dashboard.json",
        include_str!("../../templates/observability/grafana-dashboard.json"),
    ),
    (
        "grafana/datasources.yml",
        include_str!("../../templates/observability/grafana/datasources.yml"),
    ),
    (
        "grafana/dashboards.yml",
        include_str!("../../templates/observability/grafana/dashboards.yml"),
    ),
    // What is measured is new every minute, and nothing to commit.
    ("textfile/.gitignore", "*.prom\n"),
];

/// Writes them. One that is there and says something else is somebody's own: then nothing is written.
pub(super) fn write(directory: &Path, folder: &Path) -> Result<(), Stop> {
    let place = |name: &str| directory.join(folder).join(name);
    for (name, text) in FILES {
        let there = std::fs::read(place(name));
        if there.is_ok_and(|found| found != text.as_bytes()) || place(name).is_dir() {
            let file = folder.join(name);
            return Err(Stop::denied(
                format!("{} is there already, and is not as orch writes it", file.display()),
                "name another folder, or move the file away",
            ));
        }
    }
    for (name, text) in FILES {
        write_whole(&place(name), text)?;
        say(format!("wrote {}", folder.join(name).display()));
    }
    let folder = folder.display();
    say_lines(format!(
        "next: orch metrics --format prometheus --output {folder}/textfile/orch.prom, from a timer\nthen: \
         docker compose --file {folder}/docker-compose.yml up --detach, and http://localhost:3000"
    ));
    Ok(())
}
