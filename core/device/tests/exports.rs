//! Figures and person-days as files that a spreadsheet opens.

mod support;

use langso_device::companion::exports::{CsvFile, WriteFigures, WritePersonDays, WrittenFile};
use langso_device::companion::figures::Asked;
use support::{LEAD, MEMBER, Team, TestPhone, date, day, invalid, not_allowed};

fn file(phone: &TestPhone, name: &str, semicolons: bool) -> CsvFile {
    let path = phone.path().join(name).to_str().expect("a path").to_owned();
    CsvFile { path, semicolons }
}

fn lines(written: &WrittenFile) -> Vec<String> {
    let bytes = std::fs::read(&written.path).expect("a file");
    assert_eq!(bytes.len() as u64, written.bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let text = text.strip_prefix('\u{feff}').expect("the mark by which a spreadsheet knows UTF-8");
    let lines: Vec<_> = text.split_terminator("\r\n").map(str::to_owned).collect();
    assert_eq!(lines.len() as u32, written.rows + 1);
    lines
}

fn lead(team: &mut Team, name: &str) -> TestPhone {
    let mut lead = team.enrol(name, LEAD);
    team.write(
        "stock_value",
        &[
            ("unit", "193@2024".into()),
            ("indicator", "vneid_level2_rate@1".into()),
            ("operator", ">".into()),
            ("value", 87_040u32.into()),
            ("numerator", 230_540u32.into()),
            ("denominator", 264_866u32.into()),
            ("source", "=Công an, thành phố".into()),
            ("date", date("2024-06-01").into()),
            ("version", 1u8.into()),
        ],
    );
    team.bring(&mut lead);
    lead
}

#[test]
fn figures_are_written_with_vietnamese_heads_and_nothing_that_runs() {
    let mut team = Team::new();
    let mut lead = lead(&mut team, "H’Mai Êban");
    let (household, persons) = lead.household(&team, "Hộ 12", 1);
    lead.visit(&team, Some(household), "2024-06-14", &[(Some(persons[0]), "sim_4g@1", 1)]);
    let asked = Asked { period: Some("2024-H1".to_owned()), ..Asked::default() };
    let write = WriteFigures { asked: asked.clone(), file: file(&lead, "so-lieu.csv", false) };
    let written = lead.app().exports().write_figures(write.clone()).expect("writes");
    let read = lines(&written);
    assert!(read[0].starts_with("Nhóm,Mã chỉ tiêu,Chỉ tiêu,Đếm theo,Loại số"), "{}", read[0]);
    let published = read.iter().find(|line| line.contains("số đã công bố")).expect("a published figure");
    assert!(published.contains(",trên,87.04,230540,264866,"), "{published}");
    assert!(published.contains("\"'=Công an, thành phố\""), "{published}");
    let width = |line: &String| line.split(',').count();
    assert!(read.iter().filter(|line| !line.contains('"')).all(|line| width(line) == width(&read[0])));
    let again = lead.app().exports().write_figures(write).expect_err("nothing is written over");
    assert_eq!(again, invalid("file.path", "file_exists"));
    let vietnamese = WriteFigures { asked, file: file(&lead, "so-lieu-2.csv", true) };
    let written = lead.app().exports().write_figures(vietnamese).expect("writes");
    assert!(lines(&written).iter().any(|line| line.contains(";trên;87,04;230540;264866;")));
}

#[test]
fn person_days_are_written_by_given_name_with_role_plan_and_doubles() {
    let mut team = Team::new();
    let mut lead = lead(&mut team, "H’Mai Êban");
    let mut other = team.enrol("Nguyễn Thị Ánh", MEMBER);
    team.bring(&mut lead);
    team.bring(&mut other);
    lead.visit(&team, None, "2024-06-14", &[]);
    lead.visit(&team, None, "2024-06-14", &[]);
    other.visit(&team, None, "2024-06-15", &[]);
    lead.take_from(&mut other);
    let (from, to) = (day("2024-06-01"), day("2024-06-30"));
    let write = WritePersonDays { from, to, file: file(&lead, "ngay-cong.csv", false) };
    let written = lead.app().exports().write_person_days(write).expect("writes");
    let expected = [
        "Thành viên,Vai trò,Ngày,Thứ,Kế hoạch,Số việc,Số lần giúp,Trùng ngày",
        "Nguyễn Thị Ánh,Thành viên,2024-06-15,Bảy,Kế hoạch 3,1,1,",
        "H’Mai Êban,Tổ trưởng,2024-06-14,Sáu,Kế hoạch 3,2,2,",
    ];
    assert_eq!(lines(&written), expected);
    let nowhere = CsvFile { path: "no-such-folder/a.csv".to_owned(), semicolons: false };
    let refused = lead.app().exports().write_person_days(WritePersonDays { from, to, file: nowhere });
    assert_eq!(refused.expect_err("refused"), invalid("file.path", "no_such_folder"));
    let mine = WritePersonDays { from, to, file: file(&other, "ngay-cong.csv", false) };
    let refused = other.app().exports().write_person_days(mine.clone()).expect_err("only leads");
    assert_eq!(refused, not_allowed("role"));
    assert!(!std::path::Path::new(&mine.file.path).exists());
}
