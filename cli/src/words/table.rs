//! The table of stable codes and what people are told, Vietnamese first. Pure data.
//!
//! One code has one line; those of single fields are in `inputs`. A code that is not here is shown as it is, so a newer hub or phone never silences an error.

/// Code, Vietnamese, English; in order of the code's kind.
pub(super) const TABLE: &[(&str, &str, &str)] = &[
    // Offline: the hub was not reached. The record is whole.
    (
        "offline",
        "Chưa gửi được. Ghi chép vẫn nằm trên máy này.",
        "Not sent. Everything is kept on this phone.",
    ),
    (
        "offline.no_network",
        "Chưa có mạng. Ghi chép vẫn nằm trên máy này, có sóng thì gửi lại.",
        "No network. Everything is kept on this phone; send again when there is signal.",
    ),
    (
        "offline.hub_unreachable",
        "Chưa gặp được máy chủ. Chưa mất gì, lát nữa thử lại.",
        "The hub does not answer. Nothing is lost; try again later.",
    ),
    (
        "offline.hub_unknown",
        "Máy trả lời không phải máy chủ của tổ. Đã dừng gửi, sổ còn nguyên.",
        "What answered is not the team's hub. Sending stopped; the book is intact.",
    ),
    (
        "offline.not_a_hub",
        "Địa chỉ này không phải máy chủ Làng Số. Chưa có gì thay đổi.",
        "No Làng Số hub answers at this address. Nothing changed.",
    ),
    (
        "offline.budget_too_small",
        "Mức byte cho phép không đủ cho dù chỉ một phần. Không mất gì; hãy tăng mức.",
        "The byte limit is too low for anything to get through. Nothing is lost; raise it.",
    ),
    (
        "offline.budget_spent",
        "Đã dùng hết mức dữ liệu cho phép. Phần còn lại chờ trên máy này.",
        "The data limit is used up. The rest waits on this phone.",
    ),
    (
        "offline.cut",
        "Mạng bị ngắt giữa chừng. Phần đã tới không phải gửi lại.",
        "The network broke off. What arrived is not sent again.",
    ),
    (
        "offline.stopped",
        "Đã dừng gửi. Phần đã tới không phải gửi lại.",
        "Sending was stopped. What arrived is not sent again.",
    ),
    (
        "offline.other_history",
        "Máy chủ có vẻ vừa dựng lại từ bản sao cũ. Đã dừng gửi, sổ còn nguyên. Báo người trông máy chủ.",
        "The hub seems to have been restored from an older backup. Sending stopped; the book is intact. Tell whoever runs the hub.",
    ),
    (
        "offline.hub_busy",
        "Máy chủ đang bận hoặc sắp dừng. Chưa mất gì, lát nữa thử lại.",
        "The hub is busy or stopping. Nothing is lost; try again later.",
    ),
    (
        "offline.hub_outdated",
        "Máy chủ cũ hơn ứng dụng này. Ghi chép vẫn nằm trên máy, chờ máy chủ được cập nhật.",
        "The hub is older than this program. Everything is kept until the hub is updated.",
    ),
    // What is and is not there.
    (
        "not_found",
        "Không thấy mục này trên máy. Các ghi chép khác không sao.",
        "There is no such thing on this phone. Nothing else is affected.",
    ),
    (
        "outdated_app",
        "Ứng dụng cũ hơn sổ trên máy nên chưa mở được. Sổ còn nguyên, cần cập nhật Làng Số.",
        "The program is older than the book and cannot open it. The book is intact; update Làng Số.",
    ),
    (
        "storage_full",
        "Máy hết chỗ, lần này chưa vào sổ. Dọn bớt chỗ rồi lưu lại.",
        "No room is left; this is not in the book. Free some space and save again.",
    ),
    (
        "corrupt",
        "Sổ trên máy hỏng một phần. Bản hỏng được cất riêng, không xóa; phần chưa gửi vẫn còn. Làm lại lần nữa.",
        "Part of the book is damaged. The damaged copy is kept, never deleted; what is unsent is safe. Try again.",
    ),
    (
        "unexpected",
        "Chương trình gặp lỗi lạ. Phần đã lưu còn nguyên.",
        "An unexpected error. What was saved is intact.",
    ),
    // Who may not.
    (
        "not_allowed",
        "Việc này không được phép. Chưa có gì thay đổi.",
        "This is not allowed. Nothing changed.",
    ),
    (
        "not_allowed.role",
        "Vai trò của máy này không làm được việc này. Chưa có gì thay đổi.",
        "This phone's role may not do this. Nothing changed.",
    ),
    (
        "not_allowed.not_enrolled",
        "Máy này chưa vào tổ. Vào tổ bằng mã mời trước.",
        "This phone is in no team yet. Join with an invitation first.",
    ),
    (
        "not_allowed.enrolled_elsewhere",
        "Máy này đã vào một tổ khác. Mã mời chưa được dùng.",
        "This phone is in another team already. The invitation was not used.",
    ),
    (
        "not_allowed.left_team",
        "Không còn là thành viên của tổ. Phần đã ghi còn nguyên và vẫn được gửi.",
        "No longer a member of the team. Earlier work is kept and still sent.",
    ),
    (
        "not_allowed.revoked",
        "Máy này đã bị báo mất nên không gửi, nhận nữa. Ghi chép còn nguyên, gặp tổ trưởng.",
        "This phone was reported lost and no longer syncs. Records are kept; see the lead.",
    ),
    (
        "not_allowed.code_unknown",
        "Máy chủ không biết mã mời này. Chưa có gì thay đổi, xin tổ trưởng mã mới.",
        "The hub does not know this invitation. Nothing changed; ask the lead for a new one.",
    ),
    (
        "not_allowed.code_used",
        "Mã mời đã có người dùng. Chưa có gì thay đổi, xin tổ trưởng mã mới.",
        "The invitation was already used. Nothing changed; ask the lead for a new one.",
    ),
    (
        "not_allowed.code_expired",
        "Mã mời hết hạn. Chưa có gì thay đổi, xin tổ trưởng mã mới.",
        "The invitation has expired. Nothing changed; ask the lead for a new one.",
    ),
    (
        "not_allowed.no_such_scope",
        "Máy này chưa nhận phần sổ này. Gửi và nhận với máy chủ trước.",
        "This phone does not hold that part of the book yet. Sync first.",
    ),
    (
        "not_allowed.consent_withdrawn",
        "Hộ đã rút đồng ý. Chưa có gì thay đổi.",
        "The household withdrew consent. Nothing changed.",
    ),
    (
        "not_allowed.unknown_device",
        "Máy chủ không biết máy này. Ghi chép còn nguyên, gặp tổ trưởng.",
        "The hub does not know this phone. Records are kept; see the lead.",
    ),
    (
        "not_allowed.not_signed",
        "Máy chủ không nhận chữ ký của máy này. Ghi chép còn nguyên.",
        "The hub refused this phone's signature. Records are kept.",
    ),
    (
        "not_allowed.malformed",
        "Máy chủ không đọc được yêu cầu. Ghi chép còn nguyên, cần cập nhật Làng Số.",
        "The hub could not read the request. Records are kept; update Làng Số.",
    ),
    (
        "not_allowed.too_large",
        "Máy chủ không nhận yêu cầu lớn như vậy. Ghi chép còn nguyên.",
        "The hub does not take so large a request. Records are kept.",
    ),
    (
        "not_allowed.other_phone",
        "Lần giúp này ghi từ máy khác. Sửa thì ghi lý do.",
        "This was saved on another phone. Correct it with a reason.",
    ),
    (
        "not_allowed.too_late",
        "Không thu lại được nữa. Có thể sửa, ghi lý do.",
        "It can no longer be taken back. It can be corrected, with a reason.",
    ),
    // What cannot be used just now.
    ("locked", "Sổ đang khóa. Chưa mất gì.", "The book is locked. Nothing is lost."),
    (
        "locked.open_elsewhere",
        "Sổ này đang mở ở chương trình khác. Chưa mất gì; đóng bên kia rồi thử lại.",
        "This book is open in another program. Nothing is lost; close it there and try again.",
    ),
    (
        "locked.folder_read_only",
        "Không ghi được vào thư mục này. Chưa có gì thay đổi.",
        "This folder cannot be written. Nothing changed.",
    ),
    ("locked.sync_running", "Đang gửi rồi. Chờ xong rồi thử lại.", "A sync is running. Wait for its end."),
    ("locked.pin", "Sổ đang khóa. Nhập mã mở sổ.", "The book is locked. Enter the opening code."),
    (
        "locked.keystore_gone",
        "Khóa trong máy không còn. Sổ còn nguyên, mở bằng Cứu sổ.",
        "The phone's key is gone. The book is intact; open it through Rescue.",
    ),
    // What is wrong with one field. The field's path stands before it.
    // The command line itself.
    ("cli.config", "Tệp cấu hình không đúng", "The configuration file is not right"),
    ("cli.config_unknown_key", "Tệp cấu hình có khóa lạ", "The configuration file has an unknown key"),
    ("cli.config_unreadable", "Không đọc được tệp cấu hình", "The configuration file cannot be read"),
    (
        "cli.no_data",
        "Cần thư mục dữ liệu: --data, LANGSO_DATA hoặc data trong tệp cấu hình",
        "A data folder is needed: --data, LANGSO_DATA or data in the configuration file",
    ),
    ("cli.no_hub_here", "Thư mục này không có máy chủ", "There is no hub in this folder"),
    (
        "cli.no_phone_here",
        "Thư mục này không có sổ. Vào tổ bằng: langso phone --at DIR enrol",
        "There is no book in this folder. Join with: langso phone --at DIR enrol",
    ),
    (
        "cli.no_url",
        "Chưa biết địa chỉ của máy chủ cho điện thoại: thêm --url",
        "The hub's address for phones is not known: add --url",
    ),
    ("cli.listen", "Không mở được địa chỉ này", "This address cannot be listened on"),
    (
        "cli.hub_key",
        "Tệp khóa của máy chủ mất hoặc hỏng. Không tạo khóa mới bên sổ cũ",
        "The hub's key file is missing or damaged. No new key is made beside an old log",
    ),
    ("cli.hub_log", "Không đọc hoặc ghi được sổ của máy chủ", "The hub's log cannot be read or written"),
    ("cli.file", "Không đọc hoặc ghi được tệp", "The file cannot be read or written"),
    ("cli.file_exists", "Tệp đã có, không ghi đè", "The file exists; it is not overwritten"),
    ("cli.not_this_kind", "Tệp này không phải loại đó", "The file is of another kind"),
    ("cli.unknown_call", "Không có lệnh gọi này; xem call --list", "There is no such call; see call --list"),
    ("cli.no_answer", "Không có câu trả lời, chưa ghi gì", "No answer was given; nothing was written"),
    (
        "cli.simulate_broken",
        "Mô phỏng thấy một lời hứa không giữ được; chạy lại hạt này với --seed và --trace",
        "The simulation saw a promise that was not kept; replay this seed with --seed and --trace",
    ),
    (
        "cli.simulate_missed",
        "Bỏ quy tắc này mà mô phỏng không nhận ra",
        "The simulation does not miss this rule",
    ),
    (
        "cli.no_terminal",
        "Lệnh này hỏi từng bước nên cần cửa sổ dòng lệnh; không hỏi thì dùng: tutorial record",
        "This verb asks at each step and needs a terminal; without one use: tutorial record",
    ),
    ("cli.csv", "Tệp CSV không đúng", "The CSV file is not right"),
    (
        "cli.content",
        "Nội dung không đúng, chưa công bố gì",
        "The content is not right; nothing was published",
    ),
    ("cli.unknown_team", "Máy chủ không có tổ này", "The hub has no such team"),
    (
        "cli.unknown_place",
        "Máy chủ chưa có nơi này; thêm bằng admin place add",
        "The hub has no such place; add it with admin place add",
    ),
    ("cli.unknown_device", "Máy chủ không có máy này", "The hub has no such device"),
    ("cli.already_there", "Đã có rồi", "It is there already"),
    (
        "cli.damaged",
        "Tệp kết thúc giữa chừng hoặc hỏng từ đây",
        "The file ends early or is damaged from here on",
    ),
    // Backups.
    (
        "backup.full",
        "Hết chỗ, bản sao lưu chưa xong. Những gì có trước còn nguyên; dọn chỗ hoặc chọn ổ khác",
        "No room is left; the backup is not finished. What was there before is untouched; free space or choose another disk",
    ),
    (
        "backup.file",
        "Không đọc hoặc ghi được ở đây; bản sao lưu chưa xong, những gì có trước còn nguyên",
        "This cannot be read or written; the backup is not finished, what was there before is untouched",
    ),
    ("backup.none", "Ở đây không có bản sao lưu nào", "There is no backup here"),
    (
        "backup.newer",
        "Bản sao lưu do bản Làng Số mới hơn ghi; cập nhật rồi thử lại",
        "The backup was written by a later Làng Số; update and try again",
    ),
    (
        "backup.not_empty",
        "Ở đây đang có thứ khác, không ghi đè; chọn thư mục trống hoặc chưa có",
        "Something lies here and is not overwritten; choose an empty folder or a new one",
    ),
    (
        "backup.log_failed",
        "Không đọc được sổ của máy chủ để sao lưu",
        "The hub's log cannot be read for a backup",
    ),
    (
        "backup.missing",
        "Bản sao lưu thiếu tệp này, không dùng được",
        "The backup lacks this file and cannot be used",
    ),
    (
        "backup.altered",
        "Tệp này của bản sao lưu không còn như lúc ghi, không dùng được",
        "This file of the backup is not as it was written; it cannot be used",
    ),
    ("backup.unreadable", "Không đọc được tệp này của bản sao lưu", "This file of the backup cannot be read"),
    (
        "backup.stray",
        "Tệp này không thuộc bản sao lưu và làm nó sai đi; dời ra chỗ khác rồi thử lại",
        "This file is not of the backup and would change it; move it away and try again",
    ),
    ("backup.other_key", "Tệp khóa là của máy chủ khác", "The key file is of another hub"),
    (
        "backup.disagrees",
        "Tệp kê nói khác với sổ trong bản sao lưu",
        "The manifest says other than the log in the backup",
    ),
    (
        "backup.log",
        "Sổ trong bản sao lưu không nguyên vẹn. Bản vừa ghi mà đã vậy thì chính sổ của máy chủ hỏng: giữ nguyên thư mục, dùng bản cũ hơn",
        "The log in the backup is not whole. If it was written just now, the hub's own log is damaged: keep the folder as it is and use an older backup",
    ),
    // The demo.
    (
        "demo.disagrees",
        "Điện thoại, máy chủ và sổ gốc chưa khớp; xem bảng trên",
        "Phones, hub and tally do not agree; see the table above",
    ),
    (
        "demo.folder",
        "Thư mục này đang có thứ khác; chọn thư mục mới hoặc trống",
        "This folder holds something else; choose a new or an empty one",
    ),
    ("demo.no_team", "Đợt mẫu không có tổ số này", "The sample campaign has no team of this number"),
    (
        "demo.part",
        "Một tiến trình của bản chạy thử đã dừng; xem nhật ký của nó",
        "A process of the demo ended early; see its log",
    ),
];
