//! Ways to read what somebody typed into a unit search: which part is the kind of unit, which the name.
//!
//! Without accents the two cannot be told apart ("quan hoa" is quận Hoa or Quan Hóa), so a query has
//! several readings and the ranking decides.

use super::record::Kind;
use super::telex;
use crate::text;

/// A name in the two keys that every name of the lists is held in; both lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// As written.
    pub exact: String,
    /// No marks.
    pub folded: String,
}

impl Keys {
    pub(super) fn new(name: &str) -> Self {
        let exact = text::nfc(name).to_lowercase();
        Self { folded: text::fold(&exact), exact }
    }

    /// Tone marks in one place. Made when asked for: few names get that far.
    pub(super) fn tone(&self) -> String {
        text::tone_key(&self.exact)
    }
}

/// One way to read a query.
#[derive(Debug)]
pub(super) struct Reading {
    /// The kind that was typed before the name.
    pub kind: Option<Kind>,
    pub name: Keys,
    /// Places the unit must lie in, without their kinds.
    pub within: Vec<Keys>,
    /// Whether Telex leftovers were read.
    pub is_telex: bool,
}

/// Folded words that may stand for a kind; an entry of two words wins over one of one.
const KIND_WORDS: [(&str, Kind); 24] = [
    ("tinh", Kind::Tinh),
    ("t", Kind::Tinh),
    ("thanh pho", Kind::ThanhPho),
    ("tp", Kind::ThanhPho),
    ("t p", Kind::ThanhPho),
    ("huyen", Kind::Huyen),
    ("h", Kind::Huyen),
    ("quan", Kind::Quan),
    ("q", Kind::Quan),
    ("thi xa", Kind::ThiXa),
    ("tx", Kind::ThiXa),
    ("t x", Kind::ThiXa),
    ("xa", Kind::Xa),
    ("x", Kind::Xa),
    ("phuong", Kind::Phuong),
    ("p", Kind::Phuong),
    ("f", Kind::Phuong),
    ("thi tran", Kind::ThiTran),
    ("tt", Kind::ThiTran),
    ("t t", Kind::ThiTran),
    ("dac khu", Kind::DacKhu),
    ("dk", Kind::DacKhu),
    ("d k", Kind::DacKhu),
    ("ttr", Kind::ThiTran),
];

/// Short names of places that no list holds.
const SHORT_NAMES: [(&str, &str); 3] = [("hcm", "hồ chí minh"), ("tphcm", "hồ chí minh"), ("hn", "hà nội")];

/// The readings of a query, plain ones first. What follows a comma is a place to look in.
pub(super) fn readings(query: &str) -> Vec<Reading> {
    let mut parts = query.split([',', ';', '(', ')']).map(tidy).filter(|part| !part.is_empty());
    let Some(name) = parts.next() else { return Vec::new() };
    read(&name, &parts.collect::<Vec<_>>())
}

/// Readings that take the last words of a query without comma as a place: "tân tiến đồng nai".
pub(super) fn readings_with_place(query: &str) -> Vec<Reading> {
    let query = tidy(query);
    let words: Vec<_> = query.split(' ').collect();
    let splits = (1..words.len()).rev();
    splits.flat_map(|at| read(&words[..at].join(" "), &[words[at..].join(" ")])).collect()
}

fn read(name: &str, within: &[String]) -> Vec<Reading> {
    let mut found = Vec::new();
    let decoded = telex::decode(name);
    let decoded_within: Vec<_> = within.iter().map(|place| telex::decode(place)).collect();
    add(&mut found, name, within, false);
    if decoded != name || decoded_within != within {
        add(&mut found, &decoded, &decoded_within, true);
    }
    found
}

fn add(found: &mut Vec<Reading>, name: &str, within: &[String], is_telex: bool) {
    let place = |text: &String| Keys::new(split_kind(text).map_or(text.as_str(), |(_, rest)| rest));
    let mut push = |kind, name: &str| {
        let known = SHORT_NAMES.iter().find(|(short, _)| *short == name);
        let name = Keys::new(known.map_or(name, |(_, long)| long));
        if !name.folded.is_empty() {
            found.push(Reading { kind, name, within: within.iter().map(place).collect(), is_telex });
        }
    };
    push(None, name);
    if let Some((kind, rest)) = split_kind(name) {
        push(Some(kind), rest);
    }
}

fn split_kind(name: &str) -> Option<(Kind, &str)> {
    let (first, rest) = name.split_once(' ')?;
    if let Some((second, rest)) = rest.split_once(' ') {
        let two = format!("{} {}", text::fold(first), text::fold(second));
        if let Some((_, kind)) = KIND_WORDS.iter().find(|(word, _)| *word == two) {
            return Some((*kind, rest));
        }
    }
    let one = text::fold(first);
    KIND_WORDS.iter().find(|(word, _)| *word == one).map(|(_, kind)| (*kind, rest))
}

/// Lower case, stops as spaces ("TP.Hạ Long"), "q1" and "p05" as "q 1" and "p 5".
fn tidy(part: &str) -> String {
    let plain = text::nfc(&part.to_lowercase().replace('.', " "));
    let mut words = Vec::new();
    for word in plain.split(' ') {
        let digits = word.trim_start_matches(['p', 'q', 'f']);
        if word.len() == digits.len() + 1 && is_number(digits) {
            words.push(&word[..1]);
            words.push(without_zeros(digits));
        } else {
            words.push(without_zeros(word));
        }
    }
    words.join(" ")
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// "05" as "5", as wards were once numbered; a code keeps its zeros.
fn without_zeros(word: &str) -> &str {
    if is_number(word) && word.len() == 2 { word.strip_prefix('0').unwrap_or(word) } else { word }
}

#[cfg(test)]
mod tests {
    use super::{Kind, readings};

    fn kinds_and_names(query: &str) -> Vec<(Option<Kind>, String)> {
        readings(query).into_iter().filter(|r| !r.is_telex).map(|r| (r.kind, r.name.exact)).collect()
    }

    #[test]
    fn kinds_are_read_in_full_and_in_short() {
        for (query, kind, name) in [
            ("TP Hạ Long", Kind::ThanhPho, "hạ long"),
            ("TP.Hạ Long", Kind::ThanhPho, "hạ long"),
            ("T.P. Hạ Long", Kind::ThanhPho, "hạ long"),
            ("P. Vĩnh Thanh", Kind::Phuong, "vĩnh thanh"),
            ("P.05", Kind::Phuong, "5"),
            ("Q1", Kind::Quan, "1"),
            ("x. Bình Liêu", Kind::Xa, "bình liêu"),
            ("TT Bình Liêu", Kind::ThiTran, "bình liêu"),
            ("thi tran binh lieu", Kind::ThiTran, "binh lieu"),
            ("H. Ba Chẽ", Kind::Huyen, "ba chẽ"),
            ("TX. Đông Triều", Kind::ThiXa, "đông triều"),
            ("Đặc khu Vân Đồn", Kind::DacKhu, "vân đồn"),
        ] {
            let found = kinds_and_names(query);
            assert!(found.contains(&(Some(kind), name.to_owned())), "{query}: {found:?}");
        }
    }

    #[test]
    fn a_word_that_may_be_a_kind_may_also_be_a_name() {
        assert_eq!(
            kinds_and_names("quan hoa"),
            [(None, "quan hoa".to_owned()), (Some(Kind::Quan), "hoa".to_owned())]
        );
        assert_eq!(kinds_and_names("xã"), [(None, "xã".to_owned())]);
        assert_eq!(kinds_and_names(" , "), []);
    }
}
