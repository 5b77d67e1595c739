//! Searches as people type them, over the packed lists.

use super::{Match, Share, UnitCode, UnitHit, Units};

fn find(query: &str) -> Vec<UnitHit> {
    Units::packaged().find(query, 40)
}

/// What the hits are called, the former name in brackets.
fn labels(query: &str) -> Vec<String> {
    let label = |hit: UnitHit| match &hit.former {
        Some(former) => format!("{} [{}]", hit.label(), former.title),
        None => hit.label(),
    };
    find(query).into_iter().map(label).collect()
}

fn first(query: &str) -> String {
    labels(query).into_iter().next().unwrap_or_default()
}

#[test]
fn a_name_is_found_however_it_is_typed() {
    for (query, found) in [
        ("Bình Liêu", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("bình liêu", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("BINH LIEU", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("  binh   lieu ", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("Bi\u{300}nh Lie\u{302}u", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("binhf lieeu", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("X. Bình Liêu", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("bình li", "Xã Bình Liêu, tỉnh Quảng Ninh"),
        ("hoanh mo", "Xã Hoành Mô, tỉnh Quảng Ninh"),
        ("kyf thuwowngj", "Xã Kỳ Thượng, tỉnh Quảng Ninh"),
        ("dac lak", ""),
        ("dak lak", "Tỉnh Đắk Lắk"),
        ("ddawsk lawsk", "Tỉnh Đắk Lắk"),
        ("ea hleo", "Xã Ea H’Leo, tỉnh Đắk Lắk"),
        ("Ea H'Leo", "Xã Ea H’Leo, tỉnh Đắk Lắk"),
        ("đồng nai", "Thành phố Đồng Nai"),
        ("TP Đồng Nai", "Thành phố Đồng Nai"),
        ("TP.HCM", "Thành phố Hồ Chí Minh"),
        ("Đặc khu Vân Đồn", "Đặc khu Vân Đồn, tỉnh Quảng Ninh"),
        ("06856", "Xã Lục Hồn, tỉnh Quảng Ninh"),
        ("06856@2025", "Xã Lục Hồn, tỉnh Quảng Ninh"),
        ("30742", "Phường Rạch Giá, tỉnh An Giang"),
    ] {
        assert_eq!(first(query), found, "{query}");
    }
}

#[test]
fn telex_leftovers_are_read() {
    let hits = find("nguyeenx");
    let (exact, folded) = hits.split_at(hits.partition_point(|hit| hit.matched == Match::Exact));
    assert!(exact.len() > 10 && !folded.is_empty());
    assert!(hits[0].title.contains("Nguyễn"));
    for hit in exact {
        let name = hit.former.as_ref().map_or(&hit.title, |former| &former.title);
        assert!(name.contains("Nguyễn"), "{name}");
    }
}

#[test]
fn a_name_as_written_stands_before_one_with_other_accents() {
    let communes = |query: &str| -> Vec<(String, Match)> {
        let today = find(query).into_iter().filter(|hit| hit.former.is_none());
        today.map(|hit| (hit.title, hit.matched)).collect()
    };
    assert_eq!(
        communes("Văn Lăng")[..2],
        [("Xã Văn Lăng".to_owned(), Match::Exact), ("Xã Văn Lang".to_owned(), Match::Folded),]
    );
    assert_eq!(
        communes("Cẩm Giang")[..2],
        [("Xã Cẩm Giang".to_owned(), Match::Exact), ("Xã Cẩm Giàng".to_owned(), Match::Folded),]
    );
    let folded = communes("ba to");
    assert_eq!(
        folded[..2],
        [("Xã Ba Tơ".to_owned(), Match::Folded), ("Xã Ba Tô".to_owned(), Match::Folded),]
    );
}

#[test]
fn the_other_tone_placement_ranks_between_exact_and_folded() {
    let hits = find("Hoà Bình");
    let matched: Vec<_> = hits.iter().map(|hit| hit.matched).collect();
    assert_eq!(matched[0], Match::Tone);
    assert!(hits[0].title.ends_with("Hòa Bình"));
    let last_tone = matched.iter().rposition(|matched| *matched == Match::Tone);
    let first_folded = matched.iter().position(|matched| *matched == Match::Folded);
    assert!(first_folded.is_none_or(|first| last_tone < Some(first)));
    assert!(find("Hòa Bình").iter().take(5).all(|hit| hit.matched == Match::Exact));
    assert_eq!(find("Thuỷ Nguyên")[0].title, find("Thủy Nguyên")[0].title);
}

#[test]
fn homonyms_come_with_their_provinces_and_a_place_picks_one() {
    let today: Vec<_> = find("xã Tân Tiến").into_iter().filter(|hit| hit.former.is_none()).collect();
    let same: Vec<_> = today.iter().filter(|hit| hit.title == "Xã Tân Tiến").collect();
    assert_eq!(same.len(), 7);
    let mut provinces: Vec<_> = same.iter().map(|hit| hit.province.as_str()).collect();
    provinces.sort_unstable();
    provinces.dedup();
    assert_eq!(provinces.len(), 7);
    for query in ["Tân Tiến, Đồng Nai", "xã Tân Tiến, TP Đồng Nai", "tan tien dong nai", "tân tiến, đồng n"]
    {
        assert_eq!(first(query), "Xã Tân Tiến, thành phố Đồng Nai", "{query}");
    }
}

#[test]
fn an_old_unit_leads_to_the_units_of_today_and_is_named() {
    let hits = find("thị trấn Bình Liêu");
    let former = hits[0].former.as_ref().expect("found by its old name");
    assert_eq!(hits[0].code, UnitCode::parse("06838@2025").expect("a code"));
    assert_eq!(former.code, UnitCode::parse("06838@2024").expect("a code"));
    assert_eq!(former.title, "Thị trấn Bình Liêu");
    assert_eq!(former.place, "huyện Bình Liêu, tỉnh Quảng Ninh");
    assert_eq!(former.share, Share::Full);

    for query in ["huyện Bình Liêu", "H. Bình Liêu", "huyen binh lieu", "h binh lieu"] {
        assert_eq!(
            labels(query),
            [
                "Xã Bình Liêu, tỉnh Quảng Ninh [Huyện Bình Liêu]",
                "Xã Hoành Mô, tỉnh Quảng Ninh [Huyện Bình Liêu]",
                "Xã Lục Hồn, tỉnh Quảng Ninh [Huyện Bình Liêu]",
                // Only a part of Vô Ngại went there.
                "Xã Tiên Yên, tỉnh Quảng Ninh [Huyện Bình Liêu]",
            ],
            "{query}"
        );
    }
    let of_city = |hit: &UnitHit| hit.former.as_ref().is_some_and(|old| old.title == "Thành phố Hạ Long");
    for query in ["TP Hạ Long", "TP. Hạ Long", "tp ha long", "thanh pho ha long"] {
        let hits = find(query);
        assert_eq!(hits.iter().take_while(|hit| of_city(hit)).count(), 13, "{query}");
    }
    for query in ["P. Vĩnh Thanh, Rạch Giá", "phường Vĩnh Thanh, Kiên Giang", "p vinh thanh, an giang"]
    {
        assert_eq!(first(query), "Phường Rạch Giá, tỉnh An Giang [Phường Vĩnh Thanh]", "{query}");
    }
    assert_eq!(first("tỉnh Kiên Giang"), "Tỉnh An Giang [Tỉnh Kiên Giang]");
    assert_eq!(first("06979@2024"), "Xã Kỳ Thượng, tỉnh Quảng Ninh [Xã Đạp Thanh]");
}

#[test]
fn the_parts_of_a_split_commune_are_all_found() {
    let hits = find("xã Vô Ngại");
    let parts: Vec<_> =
        hits.iter().map(|hit| (hit.label(), hit.former.as_ref().map(|former| former.share))).collect();
    assert_eq!(
        parts,
        [
            ("Xã Bình Liêu, tỉnh Quảng Ninh".to_owned(), Some(Share::Part)),
            ("Xã Tiên Yên, tỉnh Quảng Ninh".to_owned(), Some(Share::Part)),
        ]
    );
}

#[test]
fn the_kind_before_a_change_of_kind_still_finds_the_unit() {
    let hits = find("xã Lộc Ninh");
    let ward = hits.iter().find(|hit| hit.title == "Phường Lộc Ninh").expect("found by its old kind");
    let former = ward.former.as_ref().expect("a former kind");
    assert_eq!((former.code, former.title.as_str()), (ward.code, "Xã Lộc Ninh"));
    assert_eq!(first("phường Trảng Bom"), "Phường Trảng Bom, thành phố Đồng Nai");
}

#[test]
fn short_and_numbered_names_are_found_whole_first() {
    for (query, found) in [
        ("Xy", "Xã A Dơi, tỉnh Quảng Trị [Xã Xy]"),
        ("xã Ba", "[Xã Ba]"),
        ("Phường V", "[Phường V]"),
        ("gào", "Xã Gào, tỉnh Gia Lai"),
        ("an", "Tỉnh An Giang"),
        ("Q.1", "[Quận 1]"),
        ("q10", "[Quận 10]"),
        ("P05", "[Phường 5]"),
    ] {
        let first = first(query);
        assert!(first.ends_with(found), "{query}: {first}");
    }
    assert!(labels("phường 5, quận 11").iter().all(|label| label.contains("Hồ Chí Minh")));
    assert!(labels("phường 5, quận 1").is_empty());
}

#[test]
fn a_unit_is_listed_once_and_never_more_than_asked_for() {
    for query in ["a", "an", "tân", "bình liêu", "xã", "06838", "hòa"] {
        let hits = Units::packaged().find(query, 15);
        let mut codes: Vec<_> = hits.iter().map(|hit| hit.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), hits.len(), "{query}");
        assert!(hits.len() <= 15);
    }
    assert!(Units::packaged().find("Bình Liêu", 0).is_empty());
    for nothing in ["", "  ", ",", ".", "…", "không có nơi này", "99999", "bình liêu, đồng nai"] {
        assert!(find(nothing).is_empty(), "{nothing:?}");
    }
}
