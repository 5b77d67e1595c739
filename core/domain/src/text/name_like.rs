//! A soft check: does a household label or a hint read like a person's name?
//!
//! Labels are seen by the whole team and travel further than contacts do, so a form asks "is this a
//! name?" before it saves one. It may be wrong either way and must never block.

use super::fold::fold;
use super::name::is_family_name;
use super::normal::nfc;

/// Words before a name or a calling name: nhà bà Hoa, anh Tuấn.
const TITLES: &[&str] = &[
    "ông", "bà", "anh", "chị", "em", "cô", "dì", "chú", "bác", "cậu", "mợ", "thím", "cụ", "thầy", "mẹ", "bố",
    "ong", "chu", "chi", "bac", "cu", "cau",
];

/// What may follow a title without being a name: bà bán nước, ông trưởng thôn.
const NO_NAMES: &[&str] = &[
    "ban", "ba ngoai", "bi", "bo", "can", "chu", "co", "con", "cong", "cua", "dan", "day", "di", "doi",
    "don", "gia", "giao", "giang", "ho", "hoi", "khong", "lam", "lai", "lon", "muon", "ngheo", "ngoai",
    "nao", "nay", "nho", "noi", "o", "pho", "sua", "thon", "thu", "to", "truong", "va", "vang", "y", "yeu",
    "em", "chong", "vo", "be", "kia", "ay", "ta", "minh", "ke", "trai", "gai", "rieng",
];

/// Words that make what follows a place, a road or an office.
const PLACES: &[&str] = &[
    "bản",
    "ấp",
    "thôn",
    "xóm",
    "làng",
    "tổ",
    "khu",
    "tdp",
    "tdp.",
    "xã",
    "x.",
    "phường",
    "p.",
    "huyện",
    "quận",
    "tỉnh",
    "tp",
    "tp.",
    "thành",
    "đường",
    "phố",
    "ngõ",
    "ngách",
    "hẻm",
    "kiệt",
    "trường",
    "chợ",
    "cầu",
    "suối",
    "sông",
    "hồ",
    "núi",
    "đồi",
    "đèo",
    "dốc",
    "trạm",
    "quán",
    "ubnd",
    "chùa",
    "đình",
    "đền",
    "miếu",
    "buôn",
    "phum",
    "sóc",
    "ngã",
    "khe",
    "văn",
    "hội",
    "công",
    "điểm",
    "chung",
    "lớp",
];

/// Words that say where something is; a name may follow them (cạnh Trần Văn Bình) but they are in none.
const AROUND: &[&str] = &["cạnh", "gần", "đầu", "cuối", "sau", "trước", "đối", "hộ", "nhà"];

/// Says whether a label reads like a person's name: "Nguyễn Văn A", "nhà bà Hoa" do; "Hộ 12", "cạnh
/// trường", "đầu dốc", "đường Trần Phú" do not. With or without marks.
pub fn looks_like_name(text: &str) -> bool {
    let text = nfc(text);
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | ':' | '/' | '–' | '"'))
        .filter(|word| !word.is_empty())
        .collect();
    (0..words.len()).any(|at| is_titled(&words, at) || is_prefixed(words[at]) || is_family(&words, at))
        || is_all_capitalised(&words)
}

/// A title and then a word that may be a name.
fn is_titled(words: &[&str], at: usize) -> bool {
    let title = words[at].to_lowercase();
    if !TITLES.contains(&title.as_str()) {
        return false;
    }
    let Some(next) = words.get(at + 1) else { return false };
    if !is_wordlike(next) {
        return false;
    }
    let key = fold(next);
    // Without marks a title is a common syllable ("chu" in "chu ky"): only a capital tells then.
    let plain_title = title.is_ascii() && !matches!(title.as_str(), "anh" | "em");
    if plain_title || NO_NAMES.contains(&key.as_str()) {
        return is_capitalised(next)
            && !is_capitalised_phrase_of_work(&key)
            && !words[at].chars().all(char::is_uppercase);
    }
    is_capitalised(next) || !TITLES.contains(&next.to_lowercase().as_str())
}

/// Offices are often written with a capital: ông Trưởng thôn, anh Bí thư.
fn is_capitalised_phrase_of_work(key: &str) -> bool {
    matches!(key, "truong" | "pho" | "bi" | "giao" | "can" | "cong" | "chu" | "to" | "hoi" | "thu")
}

/// H’Mai, Y-Thông, K’Brểu.
fn is_prefixed(word: &str) -> bool {
    let mut letters = word.chars();
    matches!(letters.next(), Some('H' | 'K' | 'Y'))
        && matches!(letters.next(), Some('’' | '-'))
        && letters.next().is_some_and(char::is_uppercase)
}

/// A family name, perhaps a middle name, and a given name.
fn is_family(words: &[&str], at: usize) -> bool {
    let after_place = at > 0 && PLACES.contains(&words[at - 1].to_lowercase().as_str());
    let place = is_place_word(words[at]);
    let Some(second) = words.get(at + 1) else { return false };
    if !is_family_name(words[at]) || !is_wordlike(second) || after_place {
        return false;
    }
    let middle = fold(second);
    let given = words.get(at + 2).is_some_and(|word| is_wordlike(word));
    if (middle == "thi" || middle == "van") && given {
        return fold(words[at + 2]) != "hoa" || !place;
    }
    let written_as_name = is_capitalised(words[at]) && is_capitalised(second);
    let shouting = words[at].chars().count() > 1 && words[at].chars().all(char::is_uppercase);
    if written_as_name {
        return !place && !is_place_word(second) && !is_place_name(words[at], second) && (!shouting || given);
    }
    // Family names that are no other word even without marks and capitals.
    matches!(fold(words[at]).as_str(), "nguyen" | "tran" | "pham" | "huynh") && given
}

/// Provinces that begin with a syllable which is also a family name.
fn is_place_name(first: &str, second: &str) -> bool {
    let pair = format!("{} {}", fold(first), fold(second));
    matches!(
        pair.as_str(),
        "ha noi"
            | "ha giang"
            | "ha tinh"
            | "ha nam"
            | "ha long"
            | "an giang"
            | "lam dong"
            | "ninh binh"
            | "ninh thuan"
            | "cao bang"
            | "lai chau"
            | "son la"
            | "quang ninh"
            | "quang tri"
            | "quang nam"
            | "quang ngai"
            | "quang binh"
            | "thai binh"
            | "thai nguyen"
            | "phu tho"
            | "phu yen"
            | "dan quan"
            | "can tho"
    )
}

/// Three to five words, each with a capital, none of them a word of place: Sinh Dỉ Gai.
fn is_all_capitalised(words: &[&str]) -> bool {
    let shouting = words.iter().all(|word| word.chars().all(|c| !c.is_lowercase()));
    (3..=5).contains(&words.len())
        && !shouting
        && words.iter().all(|word| is_wordlike(word) && is_capitalised(word) && !is_place_word(word))
        && !is_place_name(words[0], words[1])
}

fn is_place_word(word: &str) -> bool {
    let small = word.to_lowercase();
    PLACES.contains(&small.as_str()) || AROUND.contains(&small.as_str())
}

fn is_wordlike(word: &str) -> bool {
    word.chars().any(char::is_alphabetic)
        && word
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '’' | '-' | '.') || !c.is_ascii() && !c.is_numeric())
}

fn is_capitalised(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_noticed() {
        for label in [
            "Nguyễn Văn A",
            "nhà bà Hoa",
            "nhà ông Tư",
            "cạnh nhà anh Tuấn",
            "Trần Thị Mai",
            "chị Lan",
            "Lê Hoa",
            "nguyen van a",
            "nguyễn thị hoa",
            "pham thi lan",
            "NGUYỄN VĂN AN",
            "H’Mai Êban",
            "H'Mai",
            "Y-Thông Niê",
            "Giàng A Páo",
            "Sinh Dỉ Gai",
            "Chìu Sám Múi",
            "hộ Trần Văn Bình",
            "bà hoa",
            "cụ Sáu",
            "Hộ ông Nam",
            "nhà cô Thủy đầu dốc",
            "mẹ Hoa",
            "Danh Khươl",
            "Hộ 12 (bà Tám)",
            "Đặng Đức",
        ] {
            assert!(looks_like_name(label), "{label}");
        }
    }

    #[test]
    fn places_and_numbers_are_left_alone() {
        for label in [
            "Hộ 12",
            "cạnh trường",
            "đầu dốc",
            "gần chợ",
            "nhà văn hóa",
            "Nhà Văn Hóa Thôn",
            "nhà văn hóa thôn 3",
            "gần nhà thờ",
            "nhà trưởng thôn",
            "ông trưởng thôn",
            "nhà ông Trưởng thôn",
            "bà bán nước",
            "đường Trần Phú",
            "trường Nguyễn Du",
            "thôn Ngàn Chi",
            "bản Sông Moóc",
            "ngã ba",
            "mái tôn đỏ",
            "sau trạm y tế",
            "cuối bản",
            "nhà sàn 2 tầng",
            "Hà Nội",
            "Quảng Ninh",
            "xã Hoành Mô",
            "CẠNH TRƯỜNG HỌC",
            "hộ nghèo",
            "cây đa",
            "cổng sắt xanh",
            "ven suối",
            "",
            "12",
            "A12",
            "chữ ký số",
            "chu ky so",
            "cu ky",
            "đồi chè",
            "anh em",
            "đối diện quán phở",
            "phố Lý Thường Kiệt",
        ] {
            assert!(!looks_like_name(label), "{label}");
        }
    }
}
