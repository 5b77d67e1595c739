//! Half a year of one team, made by hand, and what each indicator must say of it.

use rusqlite::types::Value;

use crate::replica::*;

/// Half a year of a team and some others: every indicator has something to count.
pub fn half_year() -> Replica {
    let replica = Replica::empty();
    replica.insert("teams", TEAM, &[("kind", int(1)), ("unit", text(BINH_LIEU))]);
    for hamlet in [1, 2] {
        let unit = if hamlet == 1 { BINH_LIEU } else { HOANH_MO };
        replica.insert("hamlets", hamlet, &[("unit", text(unit)), ("household_total", int(40))]);
    }
    for (household, poverty) in [(11, 1), (12, 3), (13, 2)] {
        replica.insert("households", household, &[("hamlet_id", id(1)), ("poverty", int(poverty))]);
    }
    for person in 21..=25 {
        replica.insert("persons", person, &[("household_id", id(11))]);
    }
    let of = |members: &[u32], hamlet, signal| {
        [("members", ids(members)), ("hamlet_id", id(hamlet)), ("signal", int(signal)), ("plan_id", id(70))]
    };
    replica.visit(31, Some(11), "2024-01-10", &of(&[81, 82], 1, 1));
    replica.visit(32, Some(12), "2024-01-10", &of(&[81], 1, 3));
    replica.visit(33, Some(11), "2024-03-05", &of(&[82, 83, 81], 1, 1));
    let anonymous: Vec<_> = of(&[83], 2, 1).into_iter().chain([("unit", text(HOANH_MO))]).collect();
    replica.visit(34, None, "2024-06-30", &anonymous);
    replica.service(41, 31, Some(21), "vneid_level2", NEW);
    replica.service(42, 31, Some(21), "sim_4g", NEW);
    replica.service(43, 31, Some(22), "vneid_level2", FAILED);
    replica.service(44, 32, Some(23), "portal_first_login", NEW);
    replica.service(45, 32, Some(23), "portal_first_filing", NEW);
    replica.service(46, 33, Some(22), "vneid_level2", NEW);
    replica.service(47, 33, Some(21), "portal_later_filing", NEW);
    replica.service(48, 33, Some(21), "digital_signature", LATER);
    replica.service(49, 34, None, "digital_signature", NEW);
    replica.service(50, 34, None, "scam_awareness", REFUSED);
    replica.service(51, 32, Some(23), "ecommerce_account", NEW);
    replica.service(52, 33, Some(22), "ecommerce_account", NEW);
    replica.service(53, 33, Some(22), "ecommerce_first_sale", NEW);
    replica.service(54, 33, Some(21), "ecommerce_first_sale", NEW);
    replica.service(55, 33, Some(21), "portal_first_login", HAD);

    let due = |on, more: &[(&'static str, Value)]| {
        let mut columns = vec![("visit_id", id(31)), ("due_on", day(on)), ("household_id", id(11))];
        columns.extend_from_slice(more);
        columns
    };
    replica.insert("follow_ups", 61, &due("2024-02-01", &[]));
    replica.insert("follow_ups", 62, &due("2024-02-01", &[("done_on", day("2024-02-03"))]));
    replica.insert("follow_ups", 63, &due("2024-02-01", &[("done_by_visit", id(33))]));
    replica.insert("follow_ups", 64, &due("2024-02-01", &[("cancelled_on", day("2024-02-02"))]));
    replica.insert("follow_ups", 65, &due("2024-06-30", &[]));
    replica.insert("follow_ups", 66, &due("2024-05-01", &[("done_on", day("2024-07-01"))]));
    replica.insert(
        "work_days",
        71,
        &[("member_id", id(81)), ("date", day("2024-01-10")), ("plan_id", id(70)), ("half", int(1))],
    );
    replica.insert("work_days", 72, &[("member_id", id(81)), ("date", day("2024-01-11")), ("half", int(1))]);
    replica.insert("work_days", 73, &[("member_id", id(81)), ("date", day("2024-01-11")), ("half", int(2))]);
    let session = |kind, organiser, headcount| {
        [
            ("kind", int(kind)),
            ("organiser", text(organiser)),
            ("headcount", int(headcount)),
            ("date", day("2024-04-01")),
            ("members", ids(&[84])),
            ("unit", text(BINH_LIEU)),
        ]
    };
    replica.insert("sessions", 91, &session(1, "Hội Liên hiệp Phụ nữ tỉnh", 30));
    replica.insert("sessions", 92, &session(1, "Đoàn Thanh niên", 20));
    replica.insert("sessions", 93, &session(2, "Ban Quản lý Vịnh Hạ Long", 50));
    replica.insert("sessions", 94, &session(2, "Hội Phụ nữ tỉnh", 5));
    let grant = |item, household, visit: u32| {
        let visit = if visit == 0 { Value::Null } else { id(visit) };
        [
            ("item", int(item)),
            ("household_id", id(household)),
            ("visit_id", visit),
            ("date", day("2024-01-10")),
            ("unit", text(BINH_LIEU)),
        ]
    };
    replica.insert("grants", 101, &grant(1, 11, 31));
    replica.insert("grants", 102, &grant(1, 12, 32));
    replica.insert("grants", 103, &grant(2, 12, 32));
    replica.insert("grants", 104, &grant(1, 13, 0));
    let club = |name, kind, on| {
        [("name", text(name)), ("kind", int(kind)), ("founded_on", day(on)), ("unit", text(BINH_LIEU))]
    };
    replica.insert("groups", 111, &club("CLB Nông dân với chuyển đổi số", 1, "2023-05-01"));
    replica.insert("groups", 112, &club("CLB nông dân Húc Động", 1, "2024-07-01"));
    replica.insert("groups", 113, &club("CLB Phụ nữ số", 1, "2024-02-01"));
    replica.insert("groups", 114, &club("Tổ hợp tác nông dân", 2, "2024-02-01"));
    let joined = |group, more: &[(&'static str, Value)]| {
        let mut columns = vec![("group_id", id(group)), ("from_date", day("2024-02-01"))];
        columns.extend_from_slice(more);
        columns
    };
    replica.insert("memberships", 121, &joined(111, &[("person_id", id(21))]));
    replica.insert("memberships", 122, &joined(111, &[("person_id", id(21))]));
    replica.insert("memberships", 123, &joined(111, &[]));
    replica.insert("memberships", 124, &joined(111, &[("to_date", day("2024-03-01"))]));
    replica.insert("memberships", 125, &joined(113, &[]));
    let census = |household, on, adults, smartphones| {
        [
            ("hamlet_id", id(1)),
            ("household_id", id(household)),
            ("date", day(on)),
            ("adults", int(adults)),
            ("smartphones", int(smartphones)),
        ]
    };
    replica.insert("hamlet_censuses", 131, &census(11, "2024-01-10", 4, 1));
    replica.insert("hamlet_censuses", 132, &census(11, "2024-05-10", 4, 3));
    replica.insert("hamlet_censuses", 133, &census(12, "2024-05-10", 2, 2));
    replica.insert("hamlet_censuses", 134, &census(13, "2024-07-10", 9, 9));
    let run = [("tutorial", text("T1@1")), ("date", day("2024-03-05")), ("member_id", id(81))];
    replica.insert("checklist_runs", 141, &run);
    replica.insert("checklist_runs", 142, &run);
    for (number, verdict) in [(151, 2), (152, 1), (153, 1)] {
        let columns = [("run_id", id(141)), ("verdict", int(verdict)), ("date", day("2024-03-06"))];
        replica.insert("reviews", number, &columns);
    }
    replica.stock(161, "chip_cards", "193@2024", "2024-06-30", 1, 264_866_000);
    replica.stock(162, "vneid_accounts_activated", "193@2024", "2024-06-30", 1, 230_540_000);
    replica.stock(163, "telehealth_rate", "193@2024", "2024-06-30", 1, 62_500);
    replica
}

/// What the half-year holds; every indicator that is no rate.
pub const EXPECTED: &[(&str, Option<i64>)] = &[
    ("turns", Some(15)),
    ("visits", Some(4)),
    ("persons_helped", Some(3)),
    ("households_visited", Some(2)),
    ("new_results", Some(11)),
    ("results_passed", Some(11)),
    ("results_decided", Some(12)),
    ("failures", Some(3)),
    ("follow_ups_overdue", Some(2)),
    ("person_days", Some(8)),
    ("dead_spots", Some(2)),
    ("sessions", Some(4)),
    ("session_headcount", Some(105)),
    ("training_sessions", Some(2)),
    ("training_sessions_women", Some(1)),
    ("propaganda_sessions", Some(2)),
    ("propaganda_sessions_bay", Some(1)),
    ("phones_granted", Some(3)),
    ("phones_granted_poor", Some(2)),
    ("sim_4g_with_grants", Some(1)),
    ("digital_signatures_own", Some(1)),
    ("clubs", Some(2)),
    ("farmer_clubs", Some(1)),
    ("farmer_club_members", Some(2)),
    ("ecommerce_accounts", Some(2)),
    ("ecommerce_with_sales", Some(1)),
    ("portal_first_logins", Some(1)),
    ("portal_files", Some(2)),
    ("portal_turns", Some(3)),
    ("tutorial_runs", Some(2)),
    ("runs_approved", Some(1)),
    ("digital_signatures", None),
    ("telehealth_rate", Some(62_500)),
    ("vneid_accounts_activated", Some(230_540_000)),
    ("chip_cards", Some(264_866_000)),
    ("chip_card_rate", None),
    ("insurance_book_rate", None),
    ("smartphone_rate", None),
    ("households_total", None),
    ("residents", None),
    ("residents_14", None),
    ("residents_18", None),
    ("subscriptions", None),
    ("census_households", Some(2)),
    ("census_hamlet_households", Some(40)),
    ("census_adults", Some(6)),
    ("census_smartphones", Some(5)),
];
