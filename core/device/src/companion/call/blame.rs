//! Where in a call's JSON the fault lies, as `services[1].outcome`.
//!
//! serde says what is wrong and not where. The place is found by asking again with one part left out: the part
//! without which the complaint is another one holds the fault.

use serde_json::Value;

use crate::error::AppError;

/// The most parts of one level that are tried.
const MOST_PARTS: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

/// The refusal of an input. `judge` gives what serde says of another one; no value of the input is repeated.
pub(super) fn refused(input: &Value, said: &str, judge: &dyn Fn(&Value) -> Option<String>) -> AppError {
    let starts = |start: &str| said.starts_with(start);
    let code = match () {
        () if starts("missing field") => "missing",
        () if starts("unknown field") => "unknown_field",
        () if starts("unknown variant") => "unknown_choice",
        () if starts("invalid value: integer") => "out_of_range",
        () if said == "not a date" => "bad_date",
        () => "wrong_type",
    };
    let name = said.split('`').nth(1).filter(|_| code == "missing");
    let mut path = Vec::new();
    loop {
        let node = at(input, &path);
        if let (Some(name), Some(Value::Object(map))) = (name, node)
            && !map.contains_key(name)
        {
            let mut filled = input.clone();
            if let Some(Value::Object(map)) = at_mut(&mut filled, &path) {
                map.insert(name.to_owned(), Value::Null);
            }
            let is_known = !judge(&filled)
                .is_some_and(|other| other == said || other.starts_with(&format!("unknown field `{name}`")));
            if is_known {
                path.push(Step::Key(name.to_owned()));
                break;
            }
        }
        let holds_it = |step: &Step| {
            let mut without = input.clone();
            remove(&mut without, &path, step);
            judge(&without).as_deref() != Some(said)
        };
        match node.map(parts).unwrap_or_default().into_iter().take(MOST_PARTS).find(holds_it) {
            Some(step) => path.push(step),
            None => break,
        }
    }
    AppError::invalid(&text(&path), code)
}

fn parts(node: &Value) -> Vec<Step> {
    match node {
        Value::Object(map) => map.keys().cloned().map(Step::Key).collect(),
        Value::Array(list) => (0..list.len()).map(Step::At).collect(),
        _ => Vec::new(),
    }
}

fn at<'v>(input: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(input, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::At(index) => node.get(index),
    })
}

fn at_mut<'v>(input: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(input, |node, step| match step {
        Step::Key(key) => node.get_mut(key),
        Step::At(index) => node.get_mut(index),
    })
}

fn remove(input: &mut Value, path: &[Step], step: &Step) {
    match (at_mut(input, path), step) {
        (Some(Value::Object(map)), Step::Key(key)) => drop(map.remove(key)),
        (Some(Value::Array(list)), Step::At(index)) => drop(list.remove(*index)),
        _ => {}
    }
}

fn text(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
        Step::At(index) => format!("{text}[{index}]"),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::super::take;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // only read from JSON
    struct Form {
        note: Option<String>,
        rows: Vec<Row>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // only read from JSON
    struct Row {
        outcome: u8,
        choice: Option<Choice>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        One,
    }

    #[test]
    fn the_fault_is_named_by_its_path_and_no_value_is_repeated() {
        let secret = "001099012345";
        for (input, field, code) in [
            (json!({}), "rows", "missing"),
            (json!({"note": "a"}), "rows", "missing"),
            (json!({"rows": [], "note": 5}), "note", "wrong_type"),
            (json!({"rows": secret}), "rows", "wrong_type"),
            (json!({"rows": [{"outcome": 1}, {}]}), "rows[1].outcome", "missing"),
            (json!({"rows": [{"outcome": 1}, {"outcome": secret}]}), "rows[1].outcome", "wrong_type"),
            (json!({"rows": [{"outcome": 300}]}), "rows[0].outcome", "out_of_range"),
            (json!({"rows": [{"outcome": 1, "x": 2}]}), "rows[0].x", "unknown_field"),
            (json!({"rows": [{"outcome": 1, "choice": "two"}]}), "rows[0].choice", "unknown_choice"),
            (json!({"rows": [], secret: 1}), secret, "unknown_field"),
            (json!([]), "", "wrong_type"),
            (json!(null), "", "wrong_type"),
        ] {
            let refused = take::<Form>(&input).expect_err("refused");
            assert_eq!(refused, AppError::invalid(field, code), "{input}");
        }
        let good = json!({"rows": [{"outcome": 1, "choice": "one"}]});
        assert!(matches!(take::<Form>(&good).expect("read").rows[0].choice, Some(Choice::One)));
    }
}
