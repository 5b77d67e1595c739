//! The packed lists against the law's figures, and the questions that roll-ups ask.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Kind, Level, Share, UnitCode, Units, UnitsError, UnitsFile};
use crate::date::CivilDate;
use crate::text;

fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).expect(text)
}

fn day(text: &str) -> CivilDate {
    CivilDate::parse_iso(text).expect(text)
}

fn title_on(code_text: &str, on: &str) -> Option<String> {
    Units::packaged().get(code(code_text), day(on)).map(|unit| unit.title())
}

fn counts_on(on: &str) -> BTreeMap<(Level, Kind), usize> {
    let mut counts = BTreeMap::new();
    for unit in Units::packaged().all_on(day(on)) {
        *counts.entry((unit.level(), unit.kind)).or_default() += 1;
    }
    counts
}

#[test]
fn totals_are_those_of_the_law_on_either_side_of_both_changes() {
    use Kind::*;
    use Level::*;
    let before_reform = counts_on("2025-06-30");
    assert_eq!(before_reform[&(Province, Tinh)] + before_reform[&(Province, ThanhPho)], 63);
    let districts: usize = before_reform.iter().filter(|(key, _)| key.0 == District).map(|(_, n)| n).sum();
    assert_eq!(districts, 696);
    let communes: usize = before_reform.iter().filter(|(key, _)| key.0 == Commune).map(|(_, n)| n).sum();
    assert_eq!(communes, 10_035);

    let expected = |tinh, thanh_pho, xa, phuong| {
        BTreeMap::from([
            ((Province, Tinh), tinh),
            ((Province, ThanhPho), thanh_pho),
            ((Commune, Xa), xa),
            ((Commune, Phuong), phuong),
            ((Commune, DacKhu), 13),
        ])
    };
    assert_eq!(counts_on("2025-07-01"), expected(28, 6, 2_621, 687));
    assert_eq!(counts_on("2026-04-29"), expected(28, 6, 2_621, 687));
    assert_eq!(counts_on("2026-04-30"), expected(27, 7, 2_611, 697));
    assert_eq!(Units::packaged().as_of(), day("2026-04-30"));
}

#[test]
fn dong_nai_and_its_ten_wards_are_called_what_they_were_on_the_day() {
    assert_eq!(title_on("75@2025", "2026-04-29").as_deref(), Some("Tỉnh Đồng Nai"));
    assert_eq!(title_on("75@2025", "2026-04-30").as_deref(), Some("Thành phố Đồng Nai"));
    assert_eq!(title_on("26368@2025", "2026-04-29").as_deref(), Some("Xã Long Thành"));
    assert_eq!(title_on("26368@2025", "2026-04-30").as_deref(), Some("Phường Long Thành"));
    assert_eq!(title_on("26368@2025", "2025-06-30"), None);

    let units = Units::packaged();
    let renamed: Vec<_> =
        units.all_on(day("2026-04-30")).filter(|unit| units.records(unit.code).len() == 2).collect();
    assert_eq!(renamed.len(), 11);
    for unit in renamed {
        assert_eq!(units.province_of(unit.code), Some(code("75@2025")));
        assert!(unit.legal_ref.contains("30/2026") || unit.legal_ref.contains("237"));
    }
}

#[test]
fn units_of_the_sample_provinces_are_where_the_law_puts_them() {
    let units = Units::packaged();
    for (commune, title, province) in [
        ("06838@2025", "Xã Bình Liêu", "Quảng Ninh"),
        ("06841@2025", "Xã Hoành Mô", "Quảng Ninh"),
        ("06856@2025", "Xã Lục Hồn", "Quảng Ninh"),
        ("06970@2025", "Xã Ba Chẽ", "Quảng Ninh"),
        ("06979@2025", "Xã Kỳ Thượng", "Quảng Ninh"),
        ("06985@2025", "Xã Lương Minh", "Quảng Ninh"),
        ("30742@2025", "Phường Rạch Giá", "An Giang"),
    ] {
        assert_eq!(title_on(commune, "2026-11-22").as_deref(), Some(title));
        let home = units.province_of(code(commune)).and_then(|home| units.latest(home)).expect(commune);
        assert_eq!(&*home.name, province);
        assert!(units.communes_of_province(home.code).contains(&code(commune)));
    }
}

#[test]
fn a_code_means_another_unit_in_another_list() {
    let units = Units::packaged();
    let name = |text: &str| units.latest(code(text)).map(|unit| unit.title());
    assert_eq!(name("91@2024").as_deref(), Some("Tỉnh Kiên Giang"));
    assert_eq!(name("91@2025").as_deref(), Some("Tỉnh An Giang"));
    assert_eq!(units.today_of(code("91@2024")), Some(code("91@2025")));
    assert_eq!(units.today_of(code("89@2024")), Some(code("91@2025")));
    let other: Vec<_> = units
        .all_on(day("2025-07-01"))
        .filter(|unit| unit.level() == Level::Province)
        .filter(|unit| {
            let same_digits = UnitCode::new(&unit.code.digits(), 2024).and_then(|old| units.latest(old));
            same_digits.is_some_and(|old| old.name != unit.name)
        })
        .map(|unit| unit.code.digits())
        .collect();
    assert_eq!(other, ["15", "24", "44", "52", "80", "82", "91"]);
    assert_eq!(name("06979@2024").as_deref(), Some("Xã Đạp Thanh"));
    assert_eq!(name("06979@2025").as_deref(), Some("Xã Kỳ Thượng"));
}

#[test]
fn a_split_commune_has_no_unit_of_today_and_shows_its_parts() {
    let units = Units::packaged();
    let vo_ngai = code("06853@2024");
    assert_eq!(
        units.successors(vo_ngai),
        [(code("06838@2025"), Share::Part), (code("06862@2025"), Share::Part)]
    );
    assert_eq!(units.today_of(vo_ngai), None);
    assert_eq!(units.successors(code("06859@2024")), [(code("06838@2025"), Share::Full)]);
    assert_eq!(units.today_of(code("06859@2024")), Some(code("06838@2025")));
    let before = units.predecessors(code("06838@2025"));
    assert_eq!(
        before,
        [
            (code("06838@2024"), Share::Full),
            (code("06853@2024"), Share::Part),
            (code("06859@2024"), Share::Full)
        ]
    );
}

#[test]
fn every_old_commune_leads_to_units_of_today_in_the_province_of_its_province() {
    let units = Units::packaged();
    let mut ways = BTreeMap::<usize, usize>::new();
    for old in units.all_on(day("2025-06-30")) {
        let today = units.all_today_of(old.code);
        assert!(!today.is_empty(), "{}", old.code);
        let home = units.province_of(old.code).and_then(|home| units.today_of(home)).expect("a province");
        for (new, share) in &today {
            assert!(units.is_current(*new));
            assert_eq!(units.province_of(*new), Some(home), "{}", old.code);
            assert_eq!(*share == Share::Full, today.len() == 1, "{}", old.code);
        }
        if old.level() == Level::Commune {
            *ways.entry(today.len()).or_default() += 1;
        }
    }
    assert_eq!(ways, BTreeMap::from([(1, 9_564), (2, 397), (3, 58), (4, 15), (5, 1)]));
}

#[test]
fn a_unit_of_today_is_its_own_unit_of_today_and_an_unknown_one_has_none() {
    let units = Units::packaged();
    for unit in units.all_on(day("2026-11-22")) {
        assert_eq!(units.today_of(unit.code), Some(unit.code));
        assert!(units.successors(unit.code).is_empty());
    }
    let unknown = code("99999@2025");
    assert_eq!(units.today_of(unknown), None);
    assert_eq!(units.latest(unknown), None);
    assert!(!units.is_valid_on(unknown, day("2026-11-22")));
    assert!(units.children(unknown).is_empty());
    assert_eq!(units.province_of(unknown), None);
}

#[test]
fn the_sample_campaign_has_old_communes_that_each_roll_up_to_one_unit() {
    let units = Units::packaged();
    let unsplit = |district: &str| -> Vec<(String, String)> {
        let found = units.unsplit_communes_of(code(district));
        let pair = |old: UnitCode| {
            let new = units.today_of(old).expect("never split");
            assert_eq!(units.successors(old), [(new, Share::Full)]);
            (title(units, old), title(units, new))
        };
        found.into_iter().map(pair).collect()
    };
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(old, new)| (old.to_string(), new.to_string())).collect()
    };
    assert_eq!(
        unsplit("198@2024"),
        pairs(&[
            ("Thị trấn Bình Liêu", "Xã Bình Liêu"),
            ("Xã Hoành Mô", "Xã Hoành Mô"),
            ("Xã Đồng Tâm", "Xã Lục Hồn"),
            ("Xã Đồng Văn", "Xã Hoành Mô"),
            ("Xã Lục Hồn", "Xã Lục Hồn"),
            ("Xã Húc Động", "Xã Bình Liêu"),
        ])
    );
    assert_eq!(
        unsplit("202@2024"),
        pairs(&[
            ("Thị trấn Ba Chẽ", "Xã Ba Chẽ"),
            ("Xã Thanh Sơn", "Xã Ba Chẽ"),
            ("Xã Thanh Lâm", "Xã Kỳ Thượng"),
            ("Xã Đạp Thanh", "Xã Kỳ Thượng"),
            ("Xã Nam Sơn", "Xã Ba Chẽ"),
            ("Xã Lương Minh", "Xã Lương Minh"),
            ("Xã Đồn Đạc", "Xã Ba Chẽ"),
        ])
    );
    assert_eq!(
        unsplit("193@2024"),
        pairs(&[
            ("Phường Hà Khánh", "Phường Cao Xanh"),
            ("Phường Hà Phong", "Phường Hà Tu"),
            ("Phường Cao Xanh", "Phường Cao Xanh"),
            ("Phường Giếng Đáy", "Phường Việt Hưng"),
            ("Phường Hà Tu", "Phường Hà Tu"),
            ("Phường Hà Trung", "Phường Hà Lầm"),
            ("Phường Hà Lầm", "Phường Hà Lầm"),
            ("Phường Bãi Cháy", "Phường Bãi Cháy"),
            ("Phường Cao Thắng", "Phường Hà Lầm"),
            ("Phường Hùng Thắng", "Phường Bãi Cháy"),
            ("Phường Trần Hưng Đạo", "Phường Hồng Gai"),
            ("Phường Hồng Hải", "Phường Hạ Long"),
            ("Phường Hồng Gai", "Phường Hồng Gai"),
            ("Phường Bạch Đằng", "Phường Hồng Gai"),
            ("Phường Hồng Hà", "Phường Hạ Long"),
            ("Phường Tuần Châu", "Phường Tuần Châu"),
            ("Phường Việt Hưng", "Phường Việt Hưng"),
            ("Phường Đại Yên", "Phường Tuần Châu"),
            ("Phường Hoành Bồ", "Phường Hoành Bồ"),
            ("Xã Kỳ Thượng", "Xã Kỳ Thượng"),
            ("Xã Đồng Sơn", "Xã Lương Minh"),
            ("Xã Tân Dân", "Xã Quảng La"),
            ("Xã Hòa Bình", "Xã Thống Nhất"),
            ("Xã Vũ Oai", "Xã Thống Nhất"),
            ("Xã Dân Chủ", "Xã Quảng La"),
            ("Xã Quảng La", "Xã Quảng La"),
            ("Xã Bằng Cả", "Xã Quảng La"),
            ("Xã Thống Nhất", "Xã Thống Nhất"),
            ("Xã Sơn Dương", "Phường Hoành Bồ"),
            ("Xã Lê Lợi", "Phường Hoành Bồ"),
        ])
    );
}

fn title(units: &Units, code: UnitCode) -> String {
    units.latest(code).expect("a unit").title()
}

#[test]
fn islands_without_communes_became_special_zones() {
    let units = Units::packaged();
    let islands: Vec<_> = units
        .all_on(day("2025-06-30"))
        .filter(|unit| unit.level() == Level::District && units.children(unit.code).is_empty())
        .map(|unit| (unit.title(), title(units, units.today_of(unit.code).expect("one successor"))))
        .collect();
    assert_eq!(islands.len(), 5);
    for (old, new) in islands {
        assert_eq!(new, old.replace("Huyện", "Đặc khu"));
    }
}

#[test]
fn names_are_clean_and_homonyms_are_told_apart_by_province() {
    let units = Units::packaged();
    let mut by_title = BTreeMap::<String, Vec<UnitCode>>::new();
    for unit in units.all_on(day("2026-11-22")) {
        if unit.level() == Level::Commune {
            by_title.entry(unit.title()).or_default().push(unit.code);
        }
    }
    assert_eq!(by_title["Xã Tân Tiến"].len(), 7);
    for codes in by_title.values() {
        let provinces: HashSet<_> = codes.iter().map(|code| units.province_of(*code)).collect();
        assert_eq!(provinces.len(), codes.len());
    }
    for unit in &units.rows {
        assert_eq!(text::nfc(&unit.name), &*unit.name);
        assert!(unit.name.split(' ').all(|word| word == "trường" || !word.starts_with(char::is_lowercase)));
        assert!(!unit.name.contains(['\'', 'Ð']));
    }
}

#[test]
fn eight_pairs_of_one_province_differ_only_in_their_accents() {
    let units = Units::packaged();
    let mut by_key = BTreeMap::<_, BTreeSet<String>>::new();
    for unit in units.all_on(day("2026-11-22")).filter(|unit| unit.level() == Level::Commune) {
        let key = (units.province_of(unit.code), text::fold(&unit.title()));
        by_key.entry(key).or_default().insert(unit.title());
    }
    let pairs: Vec<_> = by_key.into_values().filter(|titles| titles.len() > 1).collect();
    assert_eq!(pairs.len(), 8);
    for pair in [["Xã Ba Tơ", "Xã Ba Tô"], ["Xã Văn Lang", "Xã Văn Lăng"], ["Xã Cẩm Giang", "Xã Cẩm Giàng"]]
    {
        assert!(pairs.contains(&pair.map(str::to_owned).into()), "{pair:?}");
    }
}

const UNITS: &str = "# as of: 2026-04-30
code\tlist_version\tlevel\tkind\tname\tparent\tvalid_from\tvalid_to\tlegal_ref
22\t2025\tprovince\ttỉnh\tQuảng Ninh\t\t2025-07-01\t\tQĐ
06838\t2025\tcommune\txã\tBình Liêu\t22\t2025-07-01\t2026-01-01\tQĐ
06838\t2025\tcommune\tphường\tBình Liêu\t22\t2026-01-01\t\tNQ
22\t2024\tprovince\ttỉnh\tQuảng Ninh\t\t\t2025-07-01\tQĐ
";
const LINKS: &str = "# as of: 2026-04-30
old_code\told_list\tnew_code\tnew_list\tshare
22\t2024\t22\t2025\tfull
";

#[test]
fn tables_delivered_later_are_read_like_the_packed_ones() {
    let units = Units::parse(UNITS, LINKS).expect("sound tables");
    assert_eq!(title(&units, code("06838@2025")), "Phường Bình Liêu");
    assert_eq!(units.get(code("06838@2025"), day("2025-12-31")).map(|unit| unit.kind), Some(Kind::Xa));
    assert_eq!(units.today_of(code("22@2024")), Some(code("22@2025")));
    assert_eq!(units.find("binh lieu", 5).len(), 1);
}

#[test]
fn broken_tables_are_refused_with_line_and_field() {
    let (file, succession) = (UnitsFile::Units, UnitsFile::Succession);
    let field = |line, field| UnitsError::Field { file, line, field };
    for (from, to, wanted) in [
        ("# as of: 2026-04-30\n", "", UnitsError::NoAsOf { file }),
        ("as of: 2026-04-30", "as of: 30/04/2026", UnitsError::NoAsOf { file }),
        (
            "as of: 2026-04-30",
            "as of: 2026-05-01",
            UnitsError::AsOfDiffers { units: day("2026-05-01"), succession: day("2026-04-30") },
        ),
        ("legal_ref", "law", UnitsError::Header { file, line: 2 }),
        ("\t\tQĐ\n06838", "\t\n06838", UnitsError::FieldCount { file, line: 3, found: 8, expected: 9 }),
        ("06838\t2025", "6838\t2025", field(4, "code")),
        ("22\t2025\t", "22\t25\t", field(3, "list_version")),
        ("commune\txã", "district\txã", field(4, "level")),
        ("\txã\t", "\tbản\t", field(4, "kind")),
        ("\tphường\tBình Liêu", "\tphường\t", field(5, "name")),
        ("Bình Liêu\t22\t2025", "Bình Liêu\t\t2025", field(4, "parent")),
        ("Bình Liêu\t22\t2025", "Bình Liêu\t06838\t2025", field(4, "parent")),
        ("22\t2025-07-01\t2026-01-01", "22\t2025-7-1\t2026-01-01", field(4, "valid_from")),
        ("2025-07-01\t2026-01-01", "2025-07-01\t2025-07-01", field(4, "valid_to")),
        (
            "Bình Liêu\t22\t2025",
            "Bình Liêu\t23\t2025",
            UnitsError::NoSuchUnit { file, line: 4, field: "parent", code: code("23@2025") },
        ),
        ("\t2026-01-01\tQĐ", "\t\tQĐ", UnitsError::Twice { file, line: 5, code: code("06838@2025") }),
    ] {
        let broken = UNITS.replacen(from, to, 1);
        assert_ne!(broken, UNITS, "{from}");
        assert_eq!(Units::parse(&broken, LINKS).expect_err(from), wanted);
    }
    for (from, to, wanted) in [
        ("\tfull", "\thalf", UnitsError::Field { file: succession, line: 3, field: "share" }),
        ("\tfull", "\tpart", UnitsError::Shares { line: 3, code: code("22@2024") }),
        (
            "22\t2025\tfull",
            "22\t2024\tfull",
            UnitsError::Field { file: succession, line: 3, field: "new_list" },
        ),
        (
            "22\t2025\tfull",
            "91\t2025\tfull",
            UnitsError::NoSuchUnit { file: succession, line: 3, field: "new_code", code: code("91@2025") },
        ),
        (
            "\tfull\n",
            "\tfull\n22\t2024\t22\t2025\tfull\n",
            UnitsError::Twice { file: succession, line: 4, code: code("22@2024") },
        ),
    ] {
        assert_eq!(Units::parse(UNITS, &LINKS.replacen(from, to, 1)).expect_err(from), wanted);
    }
    assert_eq!(Units::parse("", "").expect_err("empty"), UnitsError::Header { file, line: 1 });
    assert_eq!(
        Units::parse(&UNITS.replace("\txã\t", "\tbản\t"), LINKS).expect_err("kind").to_string(),
        "units.tsv line 4: field kind does not hold"
    );
}
