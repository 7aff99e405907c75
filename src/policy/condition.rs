//! A gate's condition: a CEL expression over the JSON and YAML of the evidence.

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{EntryExpr, Expr};
use cel::{Context, Env, IdedExpr, Program, Value};
use std::sync::{Arc, OnceLock};

/// A condition, compiled when it is first asked.
pub struct Condition {
    text: String,
    program: OnceLock<Program>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}

/// What a condition answered, and what it had read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Whether it held; an expression that can't be evaluated does not hold.
    pub result: bool,
    /// The values it read, such as `backtest_results.trades = 42`, or why it could not be
    /// evaluated.
    pub observed: String,
}

/// The longest value that is told whole, in bytes.
const LONGEST: usize = 500;

/// How often a condition may go through a list. Each further `all` or `map` inside another takes
/// as many times longer as its list is long, so that a line of text would keep every guard busy for
/// ever.
const MOST_WALKS: usize = 2;

impl Condition {
    /// Takes an expression; refuses, in words, what is no CEL.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > 2_000 {
            return Err("a condition has at most 2000 bytes".into());
        }
        let program = environment().compile(text).map_err(|errors| errors.to_string())?;
        if walks(program.expression()) > MOST_WALKS {
            return Err(format!("a condition goes through lists at most {MOST_WALKS} times"));
        }
        Ok(Condition { text: text.to_owned(), program: OnceLock::from(program) })
    }

    /// Takes an expression that is known to be one; it is compiled when it is first asked.
    pub(super) fn of_valid(text: &str) -> Self {
        Condition { text: text.to_owned(), program: OnceLock::new() }
    }

    fn program(&self) -> &Program {
        let compile = || environment().compile(&self.text);
        self.program.get_or_init(|| compile().expect("a policy with problems is never compiled"))
    }

    /// Gives the expression as the policy writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives the names of the evidence that it reads.
    pub fn names(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        add_free(self.program().expression(), &mut Vec::new(), &mut found);
        found
    }

    /// Evaluates it over the documents of the evidence, by name. It never fails: what can't be
    /// evaluated does not hold, and says why.
    pub fn evaluate(&self, evidence: &BTreeMap<String, serde_json::Value>) -> Observed {
        let mut context = Context::with_env(environment().clone());
        for (name, document) in evidence {
            if let Err(error) = context.add_variable(name.as_str(), document) {
                return Observed { result: false, observed: format!("{name}: {error}") };
            }
        }
        match self.program().execute(&context) {
            Ok(Value::Bool(result)) => Observed { result, observed: self.observations(evidence) },
            Ok(_) => Observed { result: false, observed: "the answer is no yes or no".into() },
            Err(error) => Observed { result: false, observed: error.to_string() },
        }
    }

    /// Gives the values behind each `name.field` of the expression.
    fn observations(&self, evidence: &BTreeMap<String, serde_json::Value>) -> String {
        let mut seen = Vec::new();
        for path in dotted_paths(&self.text) {
            // What stands behind the last dot may be a function, such as `size` or `all`.
            let parent = path.rsplit_once('.').map_or(path, |(parent, _)| parent);
            let found = [path, parent].map(|path| Some((path, value_at(evidence, path)?)));
            let line = found.into_iter().flatten().next();
            let line = line.map(|(path, value)| format!("{path} = {}", short(value)));
            seen.extend(line.filter(|line| !seen.contains(line)));
        }
        seen.join(", ")
    }
}

/// Gives what stands at a path of names in the evidence, such as `result.config.start`.
fn value_at<'e>(
    evidence: &'e BTreeMap<String, serde_json::Value>,
    path: &str,
) -> Option<&'e serde_json::Value> {
    let mut steps = path.split('.');
    let root = steps.next().and_then(|name| evidence.get(name))?;
    steps.try_fold(root, |value, step| value.get(step))
}

/// Gives a word, a number, or a short list or map of nothing else (names, weights), with keys in order; of
/// what is longer or goes deeper, how much it is.
fn short(value: &serde_json::Value) -> String {
    use serde_json::Value;
    let single = |value: &Value| !value.is_object() && !value.is_array();
    let (flat, many) = match value {
        Value::Array(values) => {
            let flat = values.iter().all(single).then(|| value.to_string());
            (flat, format!("a list of {}", values.len()))
        }
        Value::Object(map) => {
            let ordered = || serde_json::to_string(&map.iter().collect::<BTreeMap<_, _>>()).ok();
            let flat = map.values().all(single).then(ordered).flatten();
            (flat, format!("a map of {}", map.len()))
        }
        Value::String(text) => (Some(value.to_string()), format!("a text of {} bytes", text.len())),
        _ => (Some(value.to_string()), String::new()),
    };
    flat.filter(|flat| flat.len() <= LONGEST).unwrap_or(many)
}

/// Counts the macros that go through a list: `all`, `exists`, `exists_one`, `filter`, `map`.
fn walks(of: &IdedExpr) -> usize {
    let own = usize::from(matches!(of.expr, Expr::Comprehension(_)));
    own + parts(of).into_iter().map(walks).sum::<usize>()
}

/// Adds the names that an expression reads from outside; those that its macros give to what they go
/// through are its own.
fn add_free<'e>(of: &'e IdedExpr, bound: &mut Vec<&'e str>, found: &mut BTreeSet<String>) {
    let Expr::Comprehension(walk) = &of.expr else {
        if let Expr::Ident(name) = &of.expr
            && !bound.contains(&name.as_str())
        {
            found.insert(name.clone());
        }
        parts(of).into_iter().for_each(|part| add_free(part, bound, found));
        return;
    };
    [&walk.iter_range, &walk.accu_init].into_iter().for_each(|part| add_free(part, bound, found));
    let before = bound.len();
    bound.extend([walk.iter_var.as_str(), walk.accu_var.as_str()]);
    bound.extend(walk.iter_var2.as_deref());
    let inside = [&walk.loop_cond, &walk.loop_step, &walk.result];
    inside.into_iter().for_each(|part| add_free(part, bound, found));
    bound.truncate(before);
}

/// Gives the expressions that an expression is made of.
fn parts(of: &IdedExpr) -> Vec<&IdedExpr> {
    fn entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
        match entry {
            EntryExpr::StructField(field) => vec![&field.value],
            EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        }
    }
    match &of.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|one| entry(&one.expr)).collect(),
        Expr::Struct(of) => of.entries.iter().flat_map(|one| entry(&one.expr)).collect(),
        Expr::Comprehension(walk) => {
            let outside = [&walk.iter_range, &walk.accu_init];
            let inside = [&walk.loop_cond, &walk.loop_step, &walk.result];
            outside.into_iter().chain(inside).collect()
        }
    }
}

fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(Env::stdlib()))
}

fn dotted_paths(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter(|word| word.contains('.') && word.starts_with(|c: char| c.is_alphabetic()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(expression: &str, document: serde_json::Value) -> Observed {
        let evidence = BTreeMap::from([("backtest_results".to_owned(), document)]);
        Condition::new(expression).expect("CEL").evaluate(&evidence)
    }

    #[test]
    fn a_condition_tells_what_it_saw() {
        let seen = evaluate("backtest_results.trades >= 30", json!({"trades": 42}));
        let told = "backtest_results.trades = 42".to_owned();
        assert_eq!(seen, Observed { result: true, observed: told });
        assert!(!evaluate("backtest_results.trades >= 30", json!({"trades": 29})).result);
    }

    /// R003-40, R003-41: names and weights are told whole, a series of values is not.
    #[test]
    fn a_condition_tells_short_lists_and_maps() {
        let told = |expression: &str, document| evaluate(expression, document).observed;
        let weights = json!({"weights": {"carry": 0.4, "trend": 0.6}, "on": ["carry"]});
        assert_eq!(
            told("backtest_results.weights == backtest_results.weights", weights.clone()),
            r#"backtest_results.weights = {"carry":0.4,"trend":0.6}"#
        );
        let on = told("backtest_results.on == ['carry']", weights);
        assert_eq!(on, r#"backtest_results.on = ["carry"]"#);
        let series = json!({"nav": [{"at": 1}], "many": vec![1.5; 200]});
        let both = "backtest_results.nav.size() == 1 && backtest_results.many.size() == 200";
        assert_eq!(
            told(both, series),
            "backtest_results.nav = a list of 1, backtest_results.many = a list of 200"
        );
        let all = "backtest_results.nav.all(a, a.at > 1)";
        assert_eq!(told(all, json!({"nav": [{"at": 1}]})), "backtest_results.nav = a list of 1");
    }

    #[test]
    fn whole_and_broken_numbers_compare() {
        let drawdown = "backtest_results.max_drawdown <= 0.2";
        assert!(evaluate(drawdown, json!({"max_drawdown": 0})).result);
        assert!(evaluate(drawdown, json!({"max_drawdown": 0.2})).result);
        assert!(!evaluate(drawdown, json!({"max_drawdown": 1})).result);
        assert!(evaluate("backtest_results.trades >= 30", json!({"trades": 30.5})).result);
    }

    #[test]
    fn what_cannot_be_evaluated_does_not_hold() {
        let missing = evaluate("backtest_results.trades >= 30", json!({}));
        assert!(!missing.result && missing.observed.contains("trades"), "{missing:?}");
        assert!(!evaluate("backtest_results.trades >= 30", json!({"trades": "many"})).result);
        assert!(!evaluate("backtest_results.trades", json!({"trades": 42})).result);
        assert!(!evaluate("other.x == 1", json!({})).result);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        assert!(Condition::new("trades >=").is_err());
        assert_eq!(
            Condition::new("a.x > 1 && b.y < 2").expect("CEL").names(),
            BTreeSet::from(["a".to_owned(), "b".to_owned()])
        );
    }

    /// What a macro calls the things it goes through is no evidence; what it goes through is.
    #[test]
    fn the_names_of_a_macro_are_its_own() {
        for (text, names) in [
            (
                "nav.series.all(a, nav.series.all(b, b.at <= a.at || b.x > low.x))",
                &["low", "nav"][..],
            ),
            ("a.exists(a, a > 1)", &["a"]),
            ("x.filter(y, y > 1).size() == y", &["x", "y"]),
            ("{'k': p.q}['k'] == [r.s][0]", &["p", "r"]),
        ] {
            let found = Condition::new(text).expect("CEL").names();
            assert_eq!(found.iter().collect::<Vec<_>>(), names, "{text}");
        }
    }

    #[test]
    fn no_condition_takes_for_ever() {
        let nested = |times: usize| {
            let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
            let wrap = |inside: String, nth| format!("{digits}.all(v{nth}, {inside})");
            (0..times).fold("true".to_owned(), wrap)
        };
        assert!(Condition::new(&nested(2)).expect("CEL").evaluate(&BTreeMap::new()).result);
        assert!(Condition::new(&nested(12)).is_err());
        let doubled = format!("[\"a\"]{}", ".map(x, x + x)".repeat(60));
        assert!(Condition::new(&format!("{doubled} == []")).is_err());
        assert!(Condition::new("a.x.filter(x, x.all(y, y > 1)).exists(x, x > 2)").is_err());
    }
}
