//! Names as both packages write them.

use std::collections::BTreeSet;

use crate::Call;

/// `log_visit` as `logVisit`.
pub fn camel(name: &str) -> String {
    let mut up = false;
    let mut text = String::new();
    for letter in name.chars() {
        match letter {
            '_' => up = true,
            _ if up => {
                text.extend(letter.to_uppercase());
                up = false;
            }
            _ => text.push(letter),
        }
    }
    text
}

/// `log_visit` as `LogVisit`.
pub fn pascal(name: &str) -> String {
    let camel = camel(name);
    let mut letters = camel.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A feature as the screens name it: `state` is the phone's own.
pub fn feature(name: &str) -> &str {
    if name == "state" { "phone" } else { name }
}

/// The generated method behind a call.
pub fn generated(call: &Call) -> String {
    camel(&format!("{}_{}", call.feature, call.method))
}

/// Calls that a text names, such as `log_visit` or `visits.log_visit`, as both packages write them.
pub fn calls_in(text: &str, methods: &BTreeSet<String>) -> String {
    let written = |(at, part): (usize, &str)| {
        // Every other part stands between marks of code.
        let method = part.rsplit(['.', ':']).next().unwrap_or(part);
        if at % 2 == 1 && methods.contains(method) { camel(part) } else { part.to_owned() }
    };
    text.split('`').enumerate().map(written).collect::<Vec<_>>().join("`")
}

/// Documentation with Rust's links as plain code, and its sections as words.
pub fn plain(doc: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for line in doc {
        if line == "# Errors" {
            lines.push("Errors:".to_owned());
            continue;
        }
        let mut text = String::new();
        let mut rest = line.as_str();
        // [`Name`](path) and [`path::Name`]
        while let Some(at) = rest.find("[`") {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(end) = rest.find("`]") else { break };
            let name = &rest[1..end];
            text.push_str(&format!("`{}`", name.rsplit("::").next().unwrap_or(name)));
            rest = &rest[end + 2..];
            if rest.starts_with('(') {
                rest = rest.find(')').map_or("", |end| &rest[end + 1..]);
            }
        }
        text.push_str(rest);
        // It would end the comment of Kotlin.
        lines.push(text.replace("*/", "* /"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_named_as_the_packages_write_them_and_codes_stay() {
        let methods = BTreeSet::from(["log_visit".to_owned()]);
        let text = "As `visits.log_visit` and [`Visits::log_visit`]; `reason_text` (`missing`), log_visit.";
        let written = "As `visits.logVisit` and [`Visits::logVisit`]; `reason_text` (`missing`), log_visit.";
        assert_eq!(calls_in(text, &methods), written);
    }

    #[test]
    fn links_become_plain_code_and_no_comment_ends_early() {
        let doc = ["# Errors", "As [`Phone::save`](crate::Phone) and [`Day`], */."].map(str::to_owned);
        assert_eq!(plain(&doc), ["Errors:", "As `save` and `Day`, * /."]);
    }
}
