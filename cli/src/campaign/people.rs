//! Names, telephone numbers, hints and notes: made up, but as people of the place have and write them.

use super::codes::{Language, Sex};
use super::rng::SplitMix64;

const KINH_FAMILY: &[&str] =
    &["Nguyễn", "Nguyễn", "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Đinh"];
const TAY_FAMILY: &[&str] = &["Hoàng", "Lương", "Lô", "Vi", "Nông", "La", "Tô", "Lý", "Hà"];
const SAN_CHI_FAMILY: &[&str] = &["Trần", "Ninh", "La", "Tằng", "Hoàng", "Lỷ", "Sái", "Trạc"];
const DAO_FAMILY: &[&str] = &["Chìu", "Chíu", "Dường", "Tằng", "Phùn", "Triệu", "Bàn", "Đặng", "Lỷ"];
const DAO_MIDDLE: &[&str] = &["Sồi", "Cắm", "Dảu", "Nhì", "Sám", "Chăn", "Quay", "Tài", "Dì", "A"];
const DAO_FEMALE: &[&str] = &["Múi", "Gai", "Lan", "Thím", "Kíu", "Mẩy", "Liều", "Sếnh"];
const DAO_MALE: &[&str] = &["Hếnh", "Tình", "Phúc", "Sáng", "Cường", "Thồng", "Phí", "Dẩu"];
const FEMALE_MIDDLE: &[&str] = &["Thị", "Thị", "Thị Thu", "Thị Thanh", "Thị Minh", "Thị Ngọc", "Thị Bích"];
const FEMALE: &[&str] = &[
    "Hoa", "Hương", "Lan", "Thủy", "Nga", "Hạnh", "Loan", "Mai", "Hòa", "Yến", "Thảo", "Huyền", "Duyên",
    "Ánh", "Đào", "Liên", "Nhung", "Tuyết",
];
const MALE_MIDDLE: &[&str] = &["Văn", "Văn", "Đức", "Minh", "Quang", "Xuân", "Hữu", "Công", "Ngọc"];
const MALE: &[&str] = &[
    "Dũng", "Hùng", "Tuấn", "Cường", "Sơn", "Thắng", "Long", "Hải", "Bình", "Quân", "Đạt", "Khánh", "Nam",
    "Tiến", "Toàn", "Vinh", "Thành", "Đông",
];

/// Prefixes in use: Viettel, VinaPhone, MobiFone.
const PREFIXES: &[&str] = &[
    "032", "033", "034", "035", "036", "037", "038", "039", "086", "096", "097", "098", "081", "082", "083",
    "084", "085", "088", "091", "094", "070", "076", "077", "078", "079", "089", "090", "093",
];

/// How to find a house.
const HINTS: &[&str] = &[
    "cạnh trường",
    "đầu dốc",
    "sau nhà văn hóa",
    "cuối ngõ",
    "gần suối",
    "nhà sàn đầu bản",
    "đối diện quán tạp hóa",
    "cạnh trạm y tế",
    "gần cầu treo",
    "mái tôn xanh",
];

/// What a volunteer writes beside a visit.
const NOTES: &[&str] = &[
    "Bà con nói tiếng dân tộc, nhờ cháu phiên dịch.",
    "Máy hay hết pin, dặn sạc trước khi tổ đến.",
    "Hẹn buổi tối vì ban ngày đi rẫy.",
    "Đã dặn không đọc mã cho ai, kể cả người của tổ.",
    "Sóng yếu trong nhà, phải ra sân.",
    "Con đi làm xa, gọi điện hỏi con rồi mới làm.",
    "Người dân tự thao tác được, chỉ cần nhắc từng bước.",
    "Mắt kém, phóng chữ to lên mới đọc được.",
    "Lần sau mang theo sạc dự phòng.",
    "Làm tại nhà văn hóa vì có wifi.",
    "Nhiều người cùng xem, giải thích chung một lần.",
    "Ông bà hỏi thêm về thẻ bảo hiểm.",
    "Đã hướng dẫn xóa bớt ảnh cũ sau khi hỏi ý chủ máy.",
    "Ngại vì từng nhận cuộc gọi lạ, đã chỉ cách kiểm tra người của tổ.",
    "Nhờ trưởng thôn báo trước cho các hộ.",
];

/// What to bring to a return.
const BRING: &[&str] = &[
    "mang điện thoại có NFC",
    "nhắc người dân sạc máy trước",
    "hẹn tại nhà văn hóa có wifi",
    "đi cùng người nói tiếng dân tộc",
    "hỏi lại kết quả ở công an xã",
];

/// Work without a visit.
const WORK: &[&str] = &[
    "Họp giao ban tổ",
    "Chuẩn bị nhà văn hóa cho buổi hướng dẫn",
    "Rà soát danh sách hộ với trưởng thôn",
    "Tập huấn nghiệp vụ tại xã",
    "Trực điểm hỗ trợ tại bộ phận một cửa",
    "Phát tờ rơi tuyên truyền",
];

/// The citizens' phones and their systems.
const SMARTPHONES: &[(&str, &str)] = &[
    ("Samsung Galaxy A05", "Android 13"),
    ("Samsung Galaxy A10s", "Android 11"),
    ("OPPO A18", "Android 13"),
    ("OPPO A5s", "Android 8.1"),
    ("Xiaomi Redmi 12C", "Android 12"),
    ("Xiaomi Redmi A2", "Android 13"),
    ("vivo Y02s", "Android 12"),
    ("vivo Y91C", "Android 8.1"),
    ("realme C51", "Android 13"),
    ("realme C2", "Android 9"),
    ("iPhone 7", "iOS 15"),
];

fn of<'a>(rng: &mut SplitMix64, list: &[&'a str]) -> &'a str {
    rng.pick(list).copied().unwrap_or_default()
}

/// A full name.
pub(crate) fn name(rng: &mut SplitMix64, language: Language, sex: Sex) -> String {
    let family = match language {
        Language::Kinh => KINH_FAMILY,
        Language::Tay => TAY_FAMILY,
        Language::Dao => DAO_FAMILY,
        Language::SanChi => SAN_CHI_FAMILY,
    };
    let (middle, given) = match (language, sex) {
        (Language::Dao, Sex::Female) => (DAO_MIDDLE, DAO_FEMALE),
        (Language::Dao, Sex::Male) => (DAO_MIDDLE, DAO_MALE),
        (_, Sex::Female) => (FEMALE_MIDDLE, FEMALE),
        (_, Sex::Male) => (MALE_MIDDLE, MALE),
    };
    format!("{} {} {}", of(rng, family), of(rng, middle), of(rng, given))
}

/// A number with a prefix in use, `0xxxxxxxxx`.
pub(crate) fn phone(rng: &mut SplitMix64) -> String {
    let prefix = of(rng, PREFIXES);
    format!("{prefix}{:07}", rng.within(1_000_000, 9_999_999))
}

pub(super) fn hint(rng: &mut SplitMix64) -> String {
    of(rng, HINTS).to_owned()
}

pub(super) fn note(rng: &mut SplitMix64) -> String {
    of(rng, NOTES).to_owned()
}

pub(super) fn bring(rng: &mut SplitMix64) -> String {
    of(rng, BRING).to_owned()
}

pub(super) fn work(rng: &mut SplitMix64) -> String {
    of(rng, WORK).to_owned()
}

/// Model and system of a smartphone.
pub(crate) fn smartphone(rng: &mut SplitMix64) -> (String, String) {
    let (model, system) = rng.pick(SMARTPHONES).copied().unwrap_or_default();
    (model.to_owned(), system.to_owned())
}
