//! Which tasks wait for which: told as a tree, drawn as waves and pictures, refused as circles.

use crate::support::Team;

/// Opens a task of the shortest workflow.
fn open(team: &Team, id: &str, title: &str, more: &[&str]) -> String {
    let open = ["task", "open", id, "--workflow", "data_refresh", "--title", title];
    team.orch("orchestrator", &[&open[..], more].concat())
}

/// Opens four: `data-001` first, two behind it, and one behind both.
fn diamond() -> Team {
    let team = Team::new();
    open(&team, "data-001", "Prices", &["--phase", "one"]);
    open(&team, "left-001", "Left <b>& \"right\"", &["--depends-on", "data-001"]);
    open(&team, "right-001", "Right", &["--depends-on", "data-001"]);
    let both = ["--depends-on", "left-001", "--depends-on", "right-001", "--phase", "two"];
    open(&team, "join-001", "Join", &both);
    team.commit("Open four tasks");
    team
}

/// R002-41: what a task waits for, down to the last, and who waits for it.
#[test]
fn dependencies_are_told_as_a_tree() {
    let team = diamond();
    let told = team.orch("", &["task", "deps", "join-001"]);
    assert_eq!(
        told,
        "\
join-001  waiting
├─ left-001  waiting
│  └─ data-001  ready
└─ right-001  waiting
   └─ data-001  ready
"
    );
    let told = team.orch("", &["task", "deps", "data-001"]);
    assert!(told.contains("`data-001` depends on no task"), "{told}");
    assert!(told.contains("waited for by\n├─ left-001  waiting\n└─ right-001  waiting"), "{told}");
    let json = team.json("", &["task", "deps", "left-001"]);
    assert_eq!(json["depends_on"][0]["task_id"], "data-001");
    assert_eq!(json["waited_for_by"][0]["task_id"], "join-001");
}

/// R002-23, R002-24: the waves in which tasks may run, and the same as pictures.
#[test]
fn the_graph_is_drawn_in_waves() {
    let team = diamond();
    let told = team.orch("", &["task", "graph"]);
    let rows: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..4], ["wave", "1", "data-001", "ready"], "{told}");
    assert_eq!(rows[2][..4], ["wave", "2", "left-001", "waiting"], "{told}");
    assert_eq!(rows[4][..4], ["wave", "3", "join-001", "waiting"], "{told}");
    let svg = team.orch("", &["task", "graph", "--format", "svg"]);
    let document = roxmltree::Document::parse(&svg).expect("XML");
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("g")).count(), 4);
    let mermaid = team.orch("", &["task", "graph", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n"), "{mermaid}");
    assert!(!mermaid.contains("<b>"), "{mermaid}");
    let json = team.json("", &["task", "graph", "--phase", "two"]);
    let ids: Vec<&str> = json["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["task_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["join-001", "left-001", "right-001"]);
}

/// What is done stays in the picture while somebody waited for it, and holds nobody up.
#[test]
fn what_is_done_holds_nobody_up() {
    let team = Team::new();
    team.land_data();
    open(&team, "next-001", "Next", &["--depends-on", "data-001"]);
    let json = team.json("", &["task", "graph"]);
    assert_eq!(
        (&json["nodes"][0]["status"], &json["nodes"][0]["wave"]),
        (&"done".into(), &0.into())
    );
    assert_eq!(
        (&json["nodes"][1]["status"], &json["nodes"][1]["wave"]),
        (&"ready".into(), &1.into())
    );
    let told = team.orch("", &["task", "deps", "data-001"]);
    assert!(told.contains("closed: completed") && told.contains("└─ next-001"), "{told}");
}

/// R002-33, attack 105: the change that closes a circle is refused, and the whole way round is told.
#[test]
fn a_circle_is_told_in_full() {
    let team = diamond();
    let update = ["task", "update", "data-001", "--depends-on", "join-001"];
    let said = team.try_orch("orchestrator", &update);
    assert_eq!(said.checks(), ["dependency-cycle"], "{said:#?}");
    let way = "data-001 -> join-001 -> left-001 -> data-001";
    assert!(said.err.contains(way) || said.out.contains(way), "{said:#?}");
    let own = ["task", "update", "data-001", "--depends-on", "data-001"];
    assert_eq!(team.try_orch("orchestrator", &own).checks(), ["dependency-cycle"]);
}

/// R002-39: a phase or a week that nobody has named is a slip, and is told as one.
#[test]
fn a_phase_that_nobody_named_is_a_slip() {
    let team = Team::with_policy(&[("version: 1", "version: 1\nphases: [discovery, validation]")]);
    let said = open(&team, "data-001", "Prices", &["--phase", "discovry", "--week", "2"]);
    assert!(said.contains("don't list `discovry`; did you mean `discovery`?"), "{said}");
    for command in [&["plan"][..], &["dispatch", "--dry-run"], &["metrics"], &["task", "graph"]] {
        let said = team.try_orch("orchestrator", &[command, &["--phase", "validatoin"]].concat());
        assert!(said.fault().contains("did you mean `validation`?"), "{said:#?}");
        team.orch("orchestrator", &[command, &["--phase", "validation"]].concat());
        team.orch("orchestrator", &[command, &["--phase", "discovry"]].concat());
    }
    for command in [&["plan"][..], &["dispatch", "--dry-run"]] {
        let said = team.try_orch("orchestrator", &[command, &["--week", "99"]].concat());
        assert!(said.fault().contains("the weeks are 2"), "{said:#?}");
        team.orch("orchestrator", &[command, &["--week", "2"]].concat());
    }
    assert_eq!(team.try_orch("", &["plan", "--groups", "0"]).code, 2);
    assert_eq!(
        team.try_orch("orchestrator", &["dispatch", "--dry-run", "--parallel", "0"]).code,
        2
    );
    let none = Team::new();
    none.orch("", &["plan"]);
    none.try_orch("", &["plan", "--phase", "x"]).fault();
}
