//! The text of a JSON file that is not ours, changed where it must be and nowhere else: what somebody wrote
//! keeps its order, its indents and its bytes.

mod scanner;

use std::ops::Range;

use serde_json::Value;

use scanner::{Node, read};

/// The settings of a harness.
#[derive(Debug)]
pub(super) struct Settings {
    text: String,
}

impl Settings {
    /// Takes a file's text, which must be one JSON object; an empty one counts as an object without members.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        if text.starts_with('\u{feff}') {
            return Err("it begins with a byte-order mark: save it as UTF-8 without one".into());
        }
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let hooks = value.get("hooks").map_or(Ok(()), |hooks| match hooks.as_object() {
            None => Err("`hooks` is no object".to_owned()),
            Some(events) => match events.iter().find(|(_, groups)| !groups.is_array()) {
                Some((event, _)) => Err(format!("`hooks.{event}` is no list")),
                None => Ok(()),
            },
        });
        match value.is_object() {
            true => hooks.map(|()| Settings { text: text.to_owned() }),
            false => Err("it is no object".to_owned()),
        }
    }

    /// Gives the text as it is by now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether an event runs a command, and does so for a tool, if the event is about one.
    pub(super) fn runs(&self, event: &str, tool: Option<&str>, command: &str) -> bool {
        let value = self.value();
        let groups = value["hooks"][event].as_array().cloned().unwrap_or_default();
        let groups = groups.iter().filter(|group| tool.is_none_or(|tool| is_about(group, tool)));
        let mut hooks = groups.filter_map(|group| group["hooks"].as_array()).flatten();
        hooks.any(|hook| hook["type"] == "command" && hook["command"] == command)
    }

    /// Tells whether a command stands anywhere among the hooks, run or not.
    pub(super) fn names(&self, command: &str) -> bool {
        self.place_of(command).is_some()
    }

    /// Tells whether all hooks are switched off.
    pub(super) fn runs_none(&self) -> bool {
        self.value()["disableAllHooks"] == true
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.text).expect("it was read before")
    }

    /// Adds a group of hooks to an event; `group` is JSON over several lines, indented by two.
    pub(super) fn add(&mut self, event: &str, group: &str) {
        let root = self.root();
        let Some(hooks) = root.member("hooks") else {
            let text = format!(
                "\"hooks\": {{\n  \"{event}\": [\n    {}\n  ]\n}}",
                group.replace('\n', "\n    ")
            );
            return self.insert(&root, &text);
        };
        match hooks.member(event) {
            Some(groups) => self.insert(groups, group),
            None => {
                let text = format!("\"{event}\": [\n  {}\n]", group.replace('\n', "\n  "));
                self.insert(hooks, &text);
            }
        }
    }

    /// Takes a command out of every event, and what is empty without it.
    pub(super) fn remove(&mut self, command: &str) {
        while let Some(place) = self.place_of(command) {
            let [event, group, hook] = place;
            let root = self.root();
            let hooks = root.member("hooks").expect("the command stands in it");
            let (_, _, groups) = &hooks.members()[event];
            let inner = groups.items()[group].member("hooks").expect("the command stands in it");
            let alone = (inner.items().len() == 1, groups.items().len() == 1);
            let (node, child) = match (alone, hooks.members().len()) {
                ((false, _), _) => (inner, hook),
                ((true, false), _) => (groups, group),
                ((true, true), 2..) => (hooks, event),
                _ => {
                    let members = root.members().iter();
                    let own = members.map(|(name, ..)| name).rposition(|name| name == "hooks");
                    (&root, own.expect("the command stands in it"))
                }
            };
            self.cut(node, child);
        }
    }

    /// Finds a command: the number of the event, of the group in it, and of the hook in that.
    fn place_of(&self, command: &str) -> Option<[usize; 3]> {
        let root = self.root();
        let events = root.member("hooks")?.members().iter().enumerate();
        events
            .flat_map(|(event, (_, _, groups))| {
                groups.items().iter().map(move |g| (event, g)).enumerate()
            })
            .find_map(|(group, (event, node))| {
                let hooks = node.member("hooks")?.items();
                let own = |hook: &Node| {
                    hook.member("command").is_some_and(|found| {
                        serde_json::from_str::<String>(&self.text[found.span.clone()])
                            .is_ok_and(|found| found == command)
                    })
                };
                Some([event, group, hooks.iter().position(own)?])
            })
    }

    fn root(&self) -> Node {
        read(&self.text)
    }

    /// Puts a child behind the last one of a list or an object.
    fn insert(&mut self, node: &Node, child: &str) {
        let children = node.children();
        let inner = &self.text[node.span.clone()];
        let Some(last) = children.last().filter(|_| !inner.contains('\n')) else {
            return self.insert_lines(node, children.last(), child);
        };
        let child = child.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        self.text.insert_str(last.end, &format!(", {child}"));
    }

    fn insert_lines(&mut self, node: &Node, last: Option<&Range<usize>>, child: &str) {
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let unit = self.unit();
        let outer = self.indent(node.span.start);
        let own = match last {
            Some(last) => self.indent(last.start),
            None => format!("{outer}{unit}"),
        };
        let line = |line: &str| {
            let text = line.trim_start_matches(' ');
            format!("{own}{}{text}", unit.repeat((line.len() - text.len()) / 2))
        };
        let child = child.lines().map(line).collect::<Vec<_>>().join(end);
        match last {
            Some(last) => self.text.insert_str(last.end, &format!(",{end}{child}")),
            None => {
                let inside = node.span.start + 1..node.span.end - 1;
                self.text.replace_range(inside, &format!("{end}{child}{end}{outer}"));
            }
        }
    }

    /// Gives the blanks with which the line of a place begins.
    fn indent(&self, at: usize) -> String {
        let line = &self.text[self.text[..at].rfind('\n').map_or(0, |end| end + 1)..];
        line.chars().take_while(|c| *c == ' ' || *c == '\t').collect()
    }

    /// Gives what a line is indented by in this file: what its first member is.
    fn unit(&self) -> String {
        let first = self.root().children().first().map(|child| self.indent(child.start));
        first.filter(|indent| !indent.is_empty()).unwrap_or_else(|| "  ".to_owned())
    }

    /// Takes a child out, with the comma that it needs no more.
    fn cut(&mut self, node: &Node, child: usize) {
        let children = node.children();
        let span = match (child.checked_sub(1), children.get(child + 1)) {
            (Some(before), None) => children[before].end..children[child].end,
            (_, Some(next)) => children[child].start..next.start,
            (None, None) => node.span.start + 1..node.span.end - 1,
        };
        self.text.replace_range(span, "");
    }
}

/// Tells whether a group's matcher takes a tool: one that is missing or empty takes all, others name tools or are
/// a pattern, of which the plain ones are known here.
fn is_about(group: &Value, tool: &str) -> bool {
    let matcher = group["matcher"].as_str().unwrap_or_default();
    matcher.is_empty() || matcher.split('|').any(|one| [tool, "*", ".*"].contains(&one.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str =
        "{\n  \"hooks\": [\n    {\"type\": \"command\", \"command\": \"ours\"}\n  ]\n}";

    /// Adds ours, reads it back, and takes it away again.
    fn there_and_back(text: &str) -> String {
        let mut settings = Settings::of(text).unwrap();
        let before: Value = serde_json::from_str(settings.text()).unwrap();
        for event in ["PreToolUse", "Stop"] {
            assert!(!settings.runs(event, None, "ours"));
            settings.add(event, GROUP);
            assert!(settings.runs(event, None, "ours"), "{}", settings.text());
        }
        let added = settings.text().to_owned();
        let mut value: Value = serde_json::from_str(&added).unwrap();
        settings.remove("ours");
        assert_eq!(serde_json::from_str::<Value>(settings.text()).unwrap(), before, "{added}");
        assert_eq!(settings.text(), text, "{added}");
        value["hooks"].take().to_string()
    }

    #[test]
    fn what_was_there_stays_byte_for_byte() {
        there_and_back("{}\n");
        there_and_back("{\r\n\t\"model\": \"opus\",\r\n\t\"a\": [1, {\"b\": \"\\\"}{\"}]\r\n}\r\n");
        there_and_back(
            "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"command\": \"theirs\"}]}]}, \"x\": null}",
        );
        let theirs = "{\n    \"hooks\": {\n        \"PreToolUse\": [\n            {\n                \"matcher\": \
                      \"Bash\",\n                \"hooks\": [{\"command\": \"theirs\"}]\n            }\n        ]\n    \
                      },\n    \"z\": 1.5e3\n}\n";
        assert!(there_and_back(theirs).contains("theirs"));
    }

    #[test]
    fn ours_may_stand_in_a_group_of_theirs() {
        let text = "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"command\": \"a\"}, {\"command\": \"ours\"}]}]}}";
        let mut settings = Settings::of(text).unwrap();
        settings.remove("ours");
        assert_eq!(
            settings.text(),
            "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"command\": \"a\"}]}]}}"
        );
    }

    #[test]
    fn only_what_is_run_for_a_tool_counts() {
        let rows = [
            (
                "\"matcher\": \"Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]",
                true,
            ),
            (
                "\"matcher\": \"Edit|Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]",
                true,
            ),
            (
                "\"matcher\": \"*\", \"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]",
                true,
            ),
            ("\"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]", true),
            (
                "\"matcher\": \"Edit\", \"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]",
                false,
            ),
            (
                "\"matcher\": \"BashOutput\", \"hooks\": [{\"type\": \"command\", \"command\": \"ours\"}]",
                false,
            ),
            ("\"hooks\": [{\"type\": \"prompt\", \"command\": \"ours\"}]", false),
        ];
        for (group, expected) in rows {
            let text = format!("{{\"hooks\": {{\"PreToolUse\": [{{{group}}}]}}}}");
            let settings = Settings::of(&text).unwrap();
            assert_eq!(settings.runs("PreToolUse", Some("Bash"), "ours"), expected, "{text}");
            assert!(settings.names("ours") && !settings.runs_none(), "{text}");
        }
        assert!(Settings::of("{\"disableAllHooks\": true}").unwrap().runs_none());
    }

    #[test]
    fn what_is_no_settings_file_is_refused() {
        for text in ["[]", "{", "{\"hooks\": 1}", "{\"hooks\": {\"Stop\": {}}}", "// x\n{}"] {
            assert!(Settings::of(text).is_err(), "{text}");
        }
        assert!(Settings::of("[".repeat(100_000).as_str()).is_err());
    }
}
