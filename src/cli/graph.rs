//! `orch task graph`: which tasks wait for which, in waves or as a picture.

use super::Stop;
use super::context::{Context, View};
use super::output::{json as print_json, say, say_lines, show, table};
use crate::plan::{self, Node};

/// Draw which tasks wait for which.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows the open tasks, and the closed ones that they waited for.\nExample: orch \
                        task graph --format svg > tasks.svg"
)]
pub(super) struct Graph {
    /// Only this phase's tasks, and what they wait for
    #[arg(long)]
    phase: Option<String>,
    /// All closed tasks too
    #[arg(long)]
    all: bool,
    /// human, mermaid, svg or json
    #[arg(long, default_value = "human", value_name = "FORMAT")]
    format: Picture,
}

/// The forms in which a graph is shown.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Picture {
    Human,
    Mermaid,
    Svg,
    Json,
}

impl Graph {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, self.all)?;
        super::phases::known(context, &view, self.phase.as_deref(), None)?;
        let graph = plan::task_graph(&view.world, self.phase.as_deref(), self.all);
        match self.format {
            Picture::Human => tell(&graph),
            Picture::Mermaid => show(plan::mermaid(&graph)),
            Picture::Svg => show(plan::svg(&graph)),
            Picture::Json => print_json(&graph),
        }
        Ok(())
    }
}

fn tell(graph: &plan::Graph) {
    if graph.nodes().is_empty() {
        return say("no open tasks; open one: orch task open ID --workflow NAME --title TEXT");
    }
    let waves = graph.waves();
    let mut places: Vec<usize> = (0..waves.len()).collect();
    places.sort_by_key(|place| waves[*place]);
    let rows = places.iter().enumerate().map(|(row, &place)| {
        let begins = row == 0 || waves[places[row - 1]] != waves[place];
        let wave = match waves[place] {
            _ if !begins => String::new(),
            0 => "over".into(),
            wave => format!("wave {wave}"),
        };
        let Node { id, title, status, .. } = &graph.nodes()[place];
        let needed = graph.needed_by(place).map(|needed| graph.nodes()[needed].id.as_str());
        let needed: Vec<&str> = needed.collect();
        vec![wave, id.to_string(), status.word().into(), title.clone(), needed.join(", ")]
    });
    let heading = ["WAVE", "TASK", "STATUS", "TITLE", "AFTER"].map(str::to_owned).to_vec();
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    for cycle in graph.cycles() {
        let way: Vec<&str> = cycle.iter().chain(cycle.first()).map(|id| id.as_str()).collect();
        say_lines(format!(
            "these wait for each other: {}\n    take one out: orch task update {} --independent",
            way.join(" -> "),
            way[0]
        ));
    }
}
