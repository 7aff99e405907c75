//! The whole of the work on one page: what it says, that it is the same every time, and that it looks as
//! it should in a browser, where there is one.

use std::path::Path;
use std::process::Command;

use crate::support::{REPORT, Team, TestRepo};

const LATER: &str = "2030-01-01T00:00:00Z";

/// A team whose tasks stand in every section, under a halt, with a dispute and a decision.
fn busy() -> Team {
    let team = Team::new();
    team.finish_strategy();
    for (id, title) in [
        ("strat-002", "</title><script>alert(1)</script>"),
        ("strat-003", "🚀 <b>عربي</b> & \"more\""),
        ("strat-004", "x".repeat(10_000).as_str()),
    ] {
        let open = ["task", "open", id, "--workflow", "new_strategy", "--title", title];
        team.orch("orchestrator", &[&open[..], &["--depends-on", "data-001"]].concat());
    }
    team.open("strat-005", "new_strategy", &["--depends-on", "strat-002"]);
    team.orch("orchestrator", &["task", "block", "strat-004", "--reason", "No <vendor>"]);
    let sides = ["--position", "quant_engineer: ten", "--position", "strategy_developer: five"];
    let dispute = ["escalate", "strat-003", "--level", "1", "--trigger", "What a trade costs"];
    team.orch("orchestrator", &[&dispute[..], &sides].concat());
    let decide =
        ["decide", "--title", "Costs", "--context", "Two views", "--decision", "Ten points"];
    team.orch("founder", &decide);
    team.commit("Open tasks");
    team
}

fn parsed(text: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).unwrap()
}

/// Gives all words below the element with an id.
fn words_of(document: &roxmltree::Document<'_>, id: &str) -> String {
    let node = document.descendants().find(|node| node.attribute("id") == Some(id));
    let mut node = node.unwrap_or_else(|| panic!("nothing is called {id}"));
    if node.has_tag_name("h2") {
        node = node.parent().unwrap();
    }
    let texts = node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
    texts.collect::<Vec<_>>().join(" ")
}

/// R002-19 to R002-22, R002-27, R003-23, R003-41: the page tells of the board, what is owed, what was seen
/// before it went live, decisions, who acted and every life, and the same commit gives the same bytes.
#[test]
fn the_page_tells_of_everything() {
    let team = busy();
    let said = team.orch("", &["report", "HEAD", "--at", LATER, "--html", "report.html"]);
    assert_eq!(said, "wrote report.html\n");
    let text = team.read("report.html");
    let document = parsed(&text);
    let holds = |id: &str, words: &[&str]| {
        let told = words_of(&document, id);
        for word in words {
            assert!(told.contains(word), "{id} has no {word:?}: {told}");
        }
    };
    holds("board", &["strat-002", "</title><script>alert(1)</script>", "waits for strat-002"]);
    holds("debts", &["a decision: What a trade costs", "overdue", "founder"]);
    holds("shown", &["deploy_live", "is done", "1 of 1 approval ", "As tested", REPORT]);
    holds("shown", &["backtest_results.trades = 42", "paper_results holds", "\"days\": 20"]);
    holds("charts", &["task completion rate", "1 of 1 passed, 100 %", "new_strategy: backtest"]);
    holds("graph", &["strat-005", "strat-002"]);
    holds("decisions", &["Costs", "Ten points", "founder"]);
    holds("actors", &["quant_engineer", "person", "Not seen: ml_engineer"]);
    holds("lives", &["strat-001", "data-001"]);
    holds("task-strat-001", &["backtest", "gate behind backtest passed", "All 18 entries"]);
    holds("findings", &["escalation-overdue"]);
    team.orch("", &["report", "HEAD", "--at", LATER, "--html", "docs/again.html"]);
    assert_eq!(team.read("docs/again.html"), text);
    let clone = team.clone_to("clone");
    clone.orch("", &["report", "HEAD", "--at", LATER, "--html", "page.html"]);
    assert_eq!(clone.read("page.html"), text);
    // What is staged counts, unless a commit is named.
    team.open("strat-006", "new_strategy", &[]);
    team.orch("", &["report", "--at", LATER, "--html", "staged.html"]);
    let staged = team.read("staged.html");
    assert!(staged.contains("strat-006") && staged.contains("and what is staged on it"));
    team.orch("", &["report", "HEAD", "--at", LATER, "--html", "docs/again.html"]);
    assert_eq!(team.read("docs/again.html"), text);
}

/// The same as JSON and in short; what is left out is counted.
#[test]
fn programs_and_summaries_are_told_the_same() {
    let team = busy();
    let json = team.json("", &["report", "HEAD", "--at", LATER, "--tasks", "1"]);
    assert_eq!(json["board"]["counts"]["done"], 2);
    assert_eq!((&json["lives"]["not_shown"], &json["lives"]["not_begun"]), (&1.into(), &2.into()));
    assert_eq!(json["lives"]["told"].as_array().unwrap().len(), 3);
    assert_eq!(json["debts"][0]["overdue"], true);
    assert_eq!(json["measures"]["metrics"]["inputs"]["tasks"], 6);
    assert_eq!(json["graph"]["edges"].as_array().unwrap().len(), 4);
    assert_eq!(json["shown"][0]["signs"][0]["approver"], "founder");
    assert_eq!(json["decisions"]["last"][0]["outcome"], "Ten points");
    let short = team.orch("", &["report", "HEAD", "--at", LATER]);
    assert_eq!(short, team.orch("", &["report", "HEAD", "--at", LATER, "--markdown"]));
    team.orch("", &["report", "HEAD", "--at", LATER, "--markdown", "--output", "summary.md"]);
    assert_eq!(team.read("summary.md"), short);
    for line in [
        "0 active, 1 ready, 1 waiting, 2 blocked, 2 done; 1 overdue.",
        "| strat-005 | Moving average | strategy | waits for strat-002 |",
        "&lt;/title&gt;&lt;script&gt;",
        "| `task_completion_rate` | 0.33 | 2 of 6 tasks |",
        "| `escalation-overdue` |",
    ] {
        assert!(short.contains(line), "{line}: {short}");
    }
    assert!(!short.contains('<') && short.len() < 10_000, "{short}");
}

/// Before the first commit, and with nothing in it, the page is a page.
#[test]
fn a_beginning_is_shown_too() {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy"]);
    team.orch("", &["report", "--html", "page.html"]);
    let page = team.read("page.html");
    let told = words_of(&parsed(&page), "board");
    assert!(
        told.contains("orch task open ID") && page.contains("before the first commit"),
        "{told}"
    );
    let nowhere = Team::over(TestRepo::new());
    nowhere.try_orch("", &["report"]).fault();
}

/// What can't be read is not told of, and that is told.
#[test]
fn what_cannot_be_read_is_counted() {
    let team = Team::new();
    team.open("data-001", "data_refresh", &[]);
    team.open("data-002", "data_refresh", &[]);
    let task = team.record("data-002", "task");
    team.repo.write(&task, "task: [");
    team.smuggle("Break a record");
    assert_eq!(team.json("", &["report", "HEAD"])["unreadable"], 1);
    assert!(team.orch("", &["report", "HEAD"]).contains("**1 record can't be read**"));
    team.orch("", &["report", "HEAD", "--html", "page.html"]);
    assert!(team.read("page.html").contains("1 can&apos;t be read: orch verify"));
}

/// A page goes where nothing else stands for good, and of a time that the records know.
#[test]
fn a_page_does_no_harm() {
    let team = Team::new();
    team.land_data();
    let sealed = team.repo.git(&["ls-files", "data"]);
    let sealed = sealed.lines().next().unwrap();
    for flag in ["--html", "--output"] {
        team.try_orch("", &["report", flag, ".orch/report.html"]).denied();
        team.try_orch("", &["report", flag, ".git/x"]).denied();
    }
    team.open("data-002", "data_refresh", &[]);
    team.orch("data_engineer", &["run", "start", "data-002"]);
    team.repo.write("data/manifests/other.json", "{}\n");
    team.orch("data_engineer", &["handoff", "create", "data-002"]);
    let said = team.try_orch("", &["report", "--html", "data/manifests/other.json"]);
    assert!(said.denied().contains("is sealed by a handoff of `data-002`"), "{said:#?}");
    assert_eq!(team.read(sealed), "{\"rows\": 8760}\n");
    let early = team.try_orch("", &["report", "--at", "2020-01-01T00:00:00Z"]);
    assert!(early.fault().contains("give a later moment with `--at`"), "{early:#?}");
    team.try_orch("", &["report", "no-such-rev"]).fault();
    for pair in [["--html", "x.html", "--markdown", ""], ["--html", "x.html", "--format", "json"]] {
        let arguments: Vec<&str> = pair.iter().copied().filter(|word| !word.is_empty()).collect();
        assert_eq!(team.try_orch("", &[&["report"], &arguments[..]].concat()).code, 2);
    }
    assert!(!team.repo.path().join("x.html").exists());
}

/// What a page in a frame is measured with: how far it can be scrolled sideways, what sticks out of it, which
/// names on a time line lie on each other, and whether it is dark.
const MEASURE: &str = r#"<!DOCTYPE html><html><body><script>
const page = PAGE, found = [];
const visible = box => box.width > 0 && box.height > 0;
function look(frame) {
  const width = frame.clientWidth, document = frame.contentDocument;
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  if (document.scrollingElement.scrollWidth > width) found.push(width + ' scrolls to ' + document.scrollingElement.scrollWidth);
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.scroll, pre, .skip, thead, svg svg')) continue;
    const box = element.getBoundingClientRect();
    if (visible(box) && (box.right > width + 1 || box.left < -1)) found.push(width + ' cuts ' + element.tagName + ' ' + element.className);
  }
  for (const axis of document.querySelectorAll('.axis')) {
    const names = [...axis.querySelectorAll('text')].map(name => name.getBoundingClientRect());
    for (let at = 1; at < names.length; at++)
      if (names[at].left < names[at - 1].right) found.push(width + ' names overlap: ' + axis.textContent);
  }
  found.push(width + ' ' + frame.contentWindow.getComputedStyle(document.body).backgroundColor);
}
const frames = [360, 768, 1440].map(width => new Promise(done => {
  const frame = document.createElement('iframe');
  frame.style = 'border:0;height:800px;width:' + width + 'px';
  frame.onload = () => { look(frame); done(); };
  frame.src = page;
  document.body.append(frame);
}));
Promise.all(frames).then(() => { document.title = 'measured'; document.body.textContent = found.sort().join('|'); });
</script></body></html>"#;

/// Gives what a browser finds on a page at three widths; none where there is no browser.
fn measured(folder: &Path, page: &str, dark: bool) -> Option<(String, String)> {
    let file = folder.join("measure.html");
    std::fs::write(&file, MEASURE.replace("PAGE", &format!("{page:?}"))).unwrap();
    let scheme = if dark { "0" } else { "1" };
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let output = known.into_iter().find_map(|browser| {
        let mut command = Command::new(browser);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        command.args(["--allow-file-access-from-files", "--enable-logging=stderr"]);
        command.args(["--virtual-time-budget=20000", "--dump-dom", "--window-size=1600,1000"]);
        command.arg(format!("--blink-settings=preferredColorScheme={scheme}"));
        command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        command.arg(format!("file://{}", file.display())).output().ok()
    })?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("<title>measured</title>") || told.contains("rgb"), "{output:?}");
    let body = told.split("<body>").nth(1).and_then(|rest| rest.split("</body>").next());
    Some((body.unwrap().trim().to_owned(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// On a phone, a tablet and a screen, by day and by night: nothing sticks out of the page, no names lie on
/// each other, and the browser has nothing to complain of.
#[test]
fn the_page_fits_every_screen() {
    let team = busy();
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "workflow:new_strategy"];
    let reason = "y".repeat(500);
    let why = ["--reason", reason.as_str(), "--id", "drawdown"];
    team.orch("founder", &[&halt[..], &why].concat());
    team.orch("", &["report", "--at", LATER, "--html", "report.html"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(team.repo.path().join("report.html"), folder.path().join("report.html")).unwrap();
    for (dark, ground) in [(false, "rgb(246, 247, 249)"), (true, "rgb(14, 18, 23)")] {
        let Some((found, said)) = measured(folder.path(), "report.html", dark) else { return };
        let expected: Vec<String> =
            ["1440", "360", "768"].iter().map(|width| format!("{width} {ground}")).collect();
        assert_eq!(found, expected.join("|"), "{said}");
        assert!(!said.contains("CONSOLE"), "{said}");
    }
}
