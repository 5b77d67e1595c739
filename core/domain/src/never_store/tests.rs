//! Tables of what is found and what is not, in sentences as teams write them, and properties over
//! random text. All numbers are made up.

use super::*;
use proptest::prelude::*;

/// A note, the kind expected, and the part of the note the finding covers.
const FOUND: &[(&str, Kind, &str)] = &[
    // Citizen numbers.
    ("CCCD 034090001234", Kind::CitizenId, "034090001234"),
    ("Bà Hoa số định danh 022 190 001 234 cần đổi thẻ", Kind::CitizenId, "022 190 001 234"),
    ("cccd: 022.190.001.234", Kind::CitizenId, "022.190.001.234"),
    ("căn cước 0221-9000-1234", Kind::CitizenId, "0221-9000-1234"),
    ("số căn cước 0 2 2 1 9 0 0 0 1 2 3 4", Kind::CitizenId, "0 2 2 1 9 0 0 0 1 2 3 4"),
    ("CCCD ０２２１９０００１２３４", Kind::CitizenId, "０２２１９０００１２３４"),
    ("CCCD 022190\u{200b}001234 ghi tạm", Kind::CitizenId, "022190\u{200b}001234"),
    ("022\u{a0}190\u{202f}001\u{2009}234", Kind::CitizenId, "022\u{a0}190\u{202f}001\u{2009}234"),
    ("CCCD022190001234", Kind::CitizenId, "022190001234"),
    ("022190001234hoa", Kind::CitizenId, "022190001234"),
    ("Hộ 12, ngày 01/02/2024, 022190001234", Kind::CitizenId, "022190001234"),
    ("hẹn 01/02/2024 022 190 001 234", Kind::CitizenId, "022 190 001 234"),
    ("nạp 120.000 022 190 001 234", Kind::CitizenId, "022 190 001 234"),
    ("số 022/190/001/234", Kind::CitizenId, "022/190/001/234"),
    ("022_190.001-234", Kind::CitizenId, "022_190.001-234"),
    ("ghi lại: 022, 190, 001, 234", Kind::CitizenId, "022, 190, 001, 234"),
    ("022190\n001234", Kind::CitizenId, "022190\n001234"),
    ("mã 123456789012", Kind::CitizenId, "123456789012"),
    ("123.456.789.012", Kind::CitizenId, "123.456.789.012"),
    ("1234 5678 9012", Kind::CitizenId, "1234 5678 9012"),
    ("lúc 202401021530", Kind::CitizenId, "202401021530"),
    ("03/01/2000 1234", Kind::CitizenId, "03/01/2000 1234"),
    ("022•190•001•234", Kind::CitizenId, "022•190•001•234"),
    ("០២២១៩០០០១២៣៤", Kind::CitizenId, "០២២១៩០០០១២៣៤"),
    ("căn cước 0221900012345 (gõ thừa số)", Kind::CitizenId, "0221900012345"),
    ("0̶2̶2̶190001234", Kind::CitizenId, "0̶2̶2̶190001234"),
    // Old identity cards.
    ("CMND 101234567", Kind::OldIdNumber, "101234567"),
    ("chứng minh cũ 101 234 567", Kind::OldIdNumber, "101 234 567"),
    ("cmt 012.345.678 đã hết hạn", Kind::OldIdNumber, "012.345.678"),
    ("CMND 123.456.789", Kind::OldIdNumber, "123.456.789"),
    ("CMND số 1012-34567", Kind::OldIdNumber, "1012-34567"),
    // Health insurance.
    ("thẻ BHYT DN4010123456789", Kind::HealthInsurance, "DN4010123456789"),
    ("GD 4 22 22 123 45678", Kind::HealthInsurance, "GD 4 22 22 123 45678"),
    ("ht2.22.22.1234.5678", Kind::HealthInsurance, "ht2.22.22.1234.5678"),
    ("mã thẻ BHYT 2212345678", Kind::HealthInsurance, "2212345678"),
    ("sổ bảo hiểm của ông: 2212 345 678", Kind::HealthInsurance, "2212 345 678"),
    ("ＤＮ４０１０１２３４５６７８９", Kind::HealthInsurance, "ＤＮ４０１０１２３４５６７８９"),
    // Phones.
    ("gọi con trai 0912345678 buổi tối", Kind::Phone, "0912345678"),
    ("sđt 0912.345.678", Kind::Phone, "0912.345.678"),
    ("091 234 5678 (chị Lan)", Kind::Phone, "091 234 5678"),
    ("zalo +84 912 345 678", Kind::Phone, "84 912 345 678"),
    ("+84 912345678", Kind::Phone, "84 912345678"),
    ("84912345678", Kind::Phone, "84912345678"),
    ("+84 (0) 912 345 678", Kind::Phone, "84 (0) 912 345 678"),
    ("0084 912345678", Kind::Phone, "0084 912345678"),
    ("số cũ 01691234567", Kind::Phone, "01691234567"),
    ("iTel 087-123-4567", Kind::Phone, "087-123-4567"),
    ("0551234567 Wintel", Kind::Phone, "0551234567"),
    ("hẹn 07/08/2024, gọi 0 9 1 2 3 4 5 6 7 8", Kind::Phone, "0 9 1 2 3 4 5 6 7 8"),
    ("0912 345 678/0987 654 321", Kind::Phone, "0912 345 678"),
    ("lúc 15:30 gọi 0912 345 678", Kind::Phone, "0912 345 678"),
    // One-time codes.
    ("OTP 483920", Kind::OneTimeCode, "483920"),
    ("mã otp của bà là 4839", Kind::OneTimeCode, "4839"),
    ("Mã xác thực: 48 39 20", Kind::OneTimeCode, "48 39 20"),
    ("ma xac thuc 483920", Kind::OneTimeCode, "483920"),
    ("passcode 246810", Kind::OneTimeCode, "246810"),
    ("mật khẩu 12345678", Kind::OneTimeCode, "12345678"),
    ("mat khau la 1234", Kind::OneTimeCode, "1234"),
    ("mã PIN 2580", Kind::OneTimeCode, "2580"),
    ("pin: 2580", Kind::OneTimeCode, "2580"),
    ("483920 là mã OTP vừa về", Kind::OneTimeCode, "483920"),
    ("OTP483920", Kind::OneTimeCode, "483920"),
    ("OTP, 483920", Kind::OneTimeCode, "483920"),
    ("otp ４８３９２０", Kind::OneTimeCode, "４８３９２０"),
    ("mã xác nhận gửi về máy con gái là 483-920", Kind::OneTimeCode, "483-920"),
    ("mã kích hoạt 4\u{200b}8\u{200b}3\u{200b}9", Kind::OneTimeCode, "4\u{200b}8\u{200b}3\u{200b}9"),
    // Cards.
    ("thẻ 9704 1234 5678 9012", Kind::BankCard, "9704 1234 5678 9012"),
    ("9704123456789012", Kind::BankCard, "9704123456789012"),
    ("visa 4111-1111-1111-1111", Kind::BankCard, "4111-1111-1111-1111"),
    ("amex 378282246310005", Kind::BankCard, "378282246310005"),
    ("thẻ 6304000000000000000 cũ", Kind::BankCard, "6304000000000000000"),
    // Passwords.
    ("mật khẩu: abc123", Kind::Password, "abc123"),
    ("mật khẩu VNeID của bà là Hoa@1960", Kind::Password, "Hoa@1960"),
    ("mk wifi = nhavanhoa3", Kind::Password, "nhavanhoa3"),
    ("pass Abc@1234.", Kind::Password, "Abc@1234"),
    ("mat khau (hoa1960)", Kind::Password, "hoa1960"),
    ("Mật khẩu mới: \"Toan#Vu\"", Kind::Password, "Toan#Vu"),
    ("mật khẩu: 12345678901", Kind::Password, "12345678901"),
    ("mk:hoahonggai", Kind::Password, "hoahonggai"),
];

/// Notes that must pass, with why each once could have been refused.
const HARMLESS: &[(&str, &str)] = &[
    ("nạp 120.000 đ", "money"),
    ("3.000.000đ", "money, currency glued"),
    ("1.234.567.890 đồng", "money of ten digits"),
    ("vay 120.000.000", "nine digits grouped by dots are money unless a word for papers stands near"),
    ("vay 120 000 000 đ", "money grouped by spaces"),
    ("vay 120 000 000", "nine digits, round, grouped by spaces"),
    ("trợ cấp 120000000đ", "nine digits with a currency"),
    ("ngân sách 123.456.789.012 đồng", "twelve digits with dots, a currency and no leading zero"),
    ("điện thoại giá 3.490.000₫, trả trước 500k", "money with other currency signs"),
    ("01/02/2024", "date"),
    ("1-2-2024", "date"),
    ("20240102", "date of eight digits"),
    ("2024-01-02", "date"),
    ("01/02/2024 15:30", "twelve digits that are wholly date and time"),
    ("01/02/2024 - 03/04/2024", "two dates"),
    ("07/08/2024 15 hộ", "a date and a count that join to a phone number"),
    ("15:30, 16h45, 7h", "times"),
    ("từ 08:00 đến 11:30 ngày 5/6", "times and a short date"),
    ("1.004194", "procedure code"),
    ("2.000488.000.00.00.H49", "procedure code, twelve digits before .00.H49"),
    ("1.004194, 2.000488, 1.001612", "procedure codes"),
    ("1.004194.000.00.00.H49 và 2.000488.000.00.00.H49", "procedure codes"),
    ("nhà số 125/12/7", "house number"),
    ("số nhà 1203 chung cư A2", "house number"),
    ("Hộ 12", "label"),
    ("Hộ 12 - 01/02/2024 - 15 phút", "twelve digits of label, date and count"),
    ("hộ 12, 15, 18, 20, 22, 25 vắng", "list of twelve digits"),
    ("hộ 12 15 18 20 22 25 vắng", "rising list of twelve digits"),
    ("hộ 09 10 11 12 13", "sequence that looks like a phone number"),
    ("hộ 01, 02, 03, 04, 05, 06", "list of twelve digits that begins like a citizen number"),
    ("phòng 101 102 103 104", "sequence of twelve digits"),
    ("phòng 101, 102, 103, 104", "list of twelve digits"),
    ("TTTB gửi 1414", "short message service"),
    ("OTP không về, nhắn TTTB gửi 1414", "the same beside a keyword"),
    ("chưa nhận OTP gửi 1414", "the same right after a keyword"),
    ("gọi 1900 0368", "hotline"),
    ("quên mật khẩu gọi 1900 0368", "hotline beside a keyword"),
    ("quên mật khẩu gọi 19000368", "hotline of eight digits beside a keyword"),
    ("tổng đài 1800.1091 hoặc 18008098", "hotlines"),
    ("báo 156/5656", "short numbers for scams"),
    ("năm 2021-2025", "years"),
    ("2020 2022 2024", "years"),
    ("sinh năm 1960, 1962, 1985", "years"),
    ("quên mật khẩu từ năm 2023", "year beside a keyword"),
    ("không nhận OTP, hẹn 01/02/2024", "date beside a keyword"),
    ("VNeID 80,6 MB", "size"),
    ("còn trống 1.024 MB", "size"),
    ("QĐ 19/2025/QĐ-TTg", "legal act"),
    ("công văn 793/BTTTT-THH ngày 5/3/2022", "legal act"),
    ("NĐ 356/2025/NĐ-CP, Luật 91/2025/QH15", "legal acts"),
    ("theo 922/QĐ-BTTTT 2022", "legal act"),
    ("bài T3 bước 6-12", "tutorial"),
    ("T1.7, lỗi D5/A1/A2", "tutorial and reasons"),
    ("quên mật khẩu (A3/A4)", "reasons beside a keyword"),
    ("máy 4G/5G", "network"),
    ("máy Samsung A105F", "model"),
    ("quên mật khẩu máy A105F", "model beside a keyword"),
    ("OPPO CPH2477, Android 13", "model"),
    ("xã 06838, 06841", "unit codes"),
    ("sai mật khẩu xã 06838", "unit code beside a keyword"),
    ("mã đơn vị 30742", "unit code"),
    ("xã 03556, 07894", "two unit codes that join to a phone number"),
    ("230.540/264.866 = 87,04%", "sixteen digits of counts"),
    ("đạt 62,5 %, 1.473 tổ, 11.000 thành viên", "counts"),
    ("12 hộ, 34 người, 5 lượt", "counts with units"),
    ("gửi 1200 tin OTP", "count before a keyword"),
    ("OTP 5000 đ một tin", "price beside a keyword"),
    ("nhập OTP sai 1000 lần", "count beside a keyword"),
    ("mật khẩu 8-20 ký tự", "rule of passwords"),
    ("mật khẩu: 8-20 ký tự hoa, thường, số", "rule of passwords"),
    ("passcode 6 số", "rule of passcodes"),
    ("tự đặt mật khẩu và passcode 6 số", "rule of passcodes"),
    ("mật khẩu: đã đổi", "state of a password"),
    ("mật khẩu là gì thì không hỏi", "talk of a password"),
    ("mat khau: khong nho", "state of a password, without marks"),
    ("quên mật khẩu Facebook", "brand"),
    ("mất mã PIN ký số", "talk of a PIN"),
    ("máy pin 5000 mAh, pin yếu", "battery"),
    ("pin 85%", "battery"),
    ("cần sạc pin 1200", "battery in small letters"),
    ("hộ bà Hoa 3 người, 2 máy, 1 sim", "counts"),
    ("21.0285, 105.8542", "nothing personal is refused by its dots alone"),
    ("thửa 15 tờ bản đồ 27", "numbers with words between"),
    ("chuyến 1: 8h, chuyến 2: 10h, chuyến 3: 14h, chuyến 4: 16h", "numbers with words between"),
    ("ngày 15/12 đến 14/6", "reporting window"),
    ("1. Xin phép 2. Mở máy 3. Đăng nhập", "numbered list"),
    ("1 2 3 4 5 6 7 8 9", "counting"),
    ("02/01/2024: 1250 người", "a date and a count that join to a citizen number"),
    ("họp 02/01/2024, 08:00-11:30", "date and times"),
    ("bản v1.0.4, phiên bản 2.1.14", "versions"),
    ("1.234.567,8", "decimal with groups"),
    ("", "empty"),
    ("người dân tự cầm máy, tự gõ mật khẩu/OTP/passcode", "keywords without numbers"),
    ("Android 8-13, 2-3 GB RAM, 32 GB", "device"),
];

#[test]
fn what_is_never_stored_is_found_where_it_stands() {
    for (note, kind, part) in FOUND {
        let findings = check_free_text(note);
        let found: Vec<_> = findings.iter().map(|f| (f.kind, &note[f.range.clone()])).collect();
        assert!(found.contains(&(*kind, part)), "{note:?} gave {found:?}");
    }
    assert!(FOUND.len() >= 40);
}

#[test]
fn numbers_of_ordinary_notes_pass() {
    let refused: Vec<_> = HARMLESS
        .iter()
        .filter(|(note, _)| !check_free_text(note).is_empty())
        .map(|(note, why)| (note, why, check_free_text(note)))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_is_found_is_found_inside_an_ordinary_note_too() {
    for (note, kind, _) in FOUND {
        let longer = format!("Hộ 12 vắng, hẹn ngày 05/06/2026 lúc 19:30.\n{note}\nđã nạp 120.000 đ, 3 người");
        assert!(check_free_text(&longer).iter().any(|f| f.kind == *kind), "{longer:?}");
    }
}

#[test]
fn findings_come_in_order_and_do_not_overlap() {
    let note = "0912345678, CCCD 022190001234, OTP 483920, mk: abc123, BHYT DN4010123456789";
    let findings = check_free_text(note);
    let kinds: Vec<_> = findings.iter().map(|f| f.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Phone, Kind::CitizenId, Kind::OneTimeCode, Kind::Password, Kind::HealthInsurance]
    );
    assert!(findings.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
}

#[test]
fn several_phones_in_a_row_are_found_one_by_one() {
    let note = "0912 345 678 - 0987 654 321 / 0356 111 222";
    assert_eq!(check_free_text(note).len(), 3);
}

#[test]
fn findings_do_not_show_the_text() {
    for (note, ..) in FOUND {
        for finding in check_free_text(note) {
            let shown = format!("{finding} {finding:?}");
            assert!(!shown.contains(&note[finding.range.clone()]), "{shown}");
        }
    }
}

#[test]
fn codes_are_stable_and_distinct() {
    let codes: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(
        codes,
        [
            "never_store.citizen_id",
            "never_store.old_id_number",
            "never_store.health_insurance",
            "never_store.phone",
            "never_store.one_time_code",
            "never_store.bank_card",
            "never_store.password",
        ]
    );
}

#[test]
fn the_list_of_provinces_is_the_one_of_63_and_sorted() {
    assert!(PROVINCES_OF_BIRTH.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(is_citizen_number("091090001234") && !is_citizen_number("003090001234"));
    assert!(!is_citizen_number("022790001234"));
}

#[test]
fn long_hostile_texts_are_read_to_the_end() {
    for part in [
        "1",
        "1.",
        "12 ",
        "120.",
        "120 000 ",
        "mk:",
        "mật khẩu ",
        "a1",
        "0 ",
        "\u{200b}",
        "1900 ",
        "DN4 ",
        "là ",
        "., ",
    ] {
        let _ = check_free_text(&part.repeat(20_000));
    }
    let end = format!("{} 022190001234", "nhà 3 tầng ".repeat(50_000));
    assert_eq!(check_free_text(&end).len(), 1);
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "hộ", "bà", "Hoa", "đã", "cài", "VNeID", "vắng", "nhà", "hẹn", "lại", "tối", "người", "dân", "Đặng",
        "thôn", "sim", "máy", "cũ", "quên", "mật", "khẩu", "ký", "số", "chưa", "có", "sóng", "ghi", "tạm",
        "thẻ", "ạ,", "rồi.", "(xem)",
    ])
}

fn separator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "", "", "", " ", ".", "-", "–", "_", "/", "·", "\u{a0}", "\u{200b}", " - ", "  ", "*", ". ", "'",
        "\u{301}", "|", "+",
    ])
}

/// Any of the 63 provinces, any century and year, any rest.
fn citizen_number() -> impl Strategy<Value = String> {
    (prop::sample::select(PROVINCES_OF_BIRTH.to_vec()), "[0-3][0-9]{8}")
        .prop_map(|(province, rest)| province.to_owned() + &rest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_citizen_number_with_any_separators_is_found_in_any_text(
        before in prop::collection::vec(word(), 0..8),
        after in prop::collection::vec(word(), 0..8),
        number in citizen_number(),
        separators in prop::collection::vec(separator(), 12),
        wide in any::<bool>(),
    ) {
        let written: String = number
            .chars()
            .zip(&separators)
            .enumerate()
            .map(|(at, (digit, separator))| {
                let digit = if wide { char::from_u32(digit as u32 + 0xFEE0).unwrap_or(digit) } else { digit };
                format!("{}{digit}", if at == 0 { "" } else { separator })
            })
            .collect();
        let text = format!("{} {written} {}", before.join(" "), after.join(" "));
        let start = text.find(&written).expect("was put in");
        let findings = check_free_text(&text);
        let covered = findings.iter().any(|f| f.range.start >= start && f.range.end <= start + written.len());
        prop_assert!(covered, "{:?} in {:?}", findings, text);
    }

    #[test]
    fn any_twelve_digits_evenly_grouped_are_found_in_any_text(
        before in prop::collection::vec(word(), 0..8),
        after in prop::collection::vec(word(), 0..8),
        number in "[0-9]{12}",
        group in prop::sample::select(vec![3_usize, 4, 6, 12]),
        separator in separator(),
    ) {
        let groups: Vec<&str> = number.as_bytes().chunks(group).map(|part| std::str::from_utf8(part).expect("digits")).collect();
        let written = groups.join(separator);
        let text = format!("{} {written} {}", before.join(" "), after.join(" "));
        let counting = groups.len() > 1 && groups.windows(2).all(|p| p[0].parse::<u64>().map(|n| n + 1) == p[1].parse::<u64>());
        let years = group == 4 && groups.iter().all(|part| part.starts_with("19") || part.starts_with("20"));
        prop_assume!(!counting && !years);
        prop_assert!(!check_free_text(&text).is_empty(), "{:?}", text);
    }

    #[test]
    fn text_without_digits_or_keywords_passes(words in prop::collection::vec(word(), 0..30)) {
        let text = words.join(" ").replace("khẩu", "");
        prop_assert!(check_free_text(&text).is_empty());
    }

    #[test]
    fn ranges_are_valid_in_any_text(text in "(\\PC|[0-9 .:/-]|mk:|OTP ){0,60}") {
        let mut end = 0;
        for finding in check_free_text(&text) {
            prop_assert!(finding.range.start >= end && finding.range.start < finding.range.end);
            prop_assert!(text.get(finding.range.clone()).is_some());
            end = finding.range.end;
        }
    }

    #[test]
    fn any_mobile_number_is_found(
        number in "0(3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])[0-9]{7}",
        separator in prop::sample::select(vec!["", " ", ".", "-"]),
        before in prop::collection::vec(word(), 0..6),
    ) {
        let text = format!("{} {}{separator}{}{separator}{}", before.join(" "), &number[..4], &number[4..7], &number[7..]);
        prop_assert!(!check_free_text(&text).is_empty(), "{:?}", text);
    }
}
