//! Names as both packages write them.

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
