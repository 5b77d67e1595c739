//! `langso phone household` and `person`: writing down, by consent, and finding again.

mod read;

use langso_device::companion::households::{
    AddPerson, CheckLabel, GivenContact, NewHousehold, NewPerson, SuggestLabel,
};
use langso_domain::id::HamletId;

use super::book::Book;
use super::consent;
use crate::names::{entries, number_of};
use crate::terminal::{ask, can_ask, choose, tell, yes_or_no};
use crate::words::{Failure, Outcome, pick};

/// Hộ: ghi mới, xem, tìm · households: written down, shown, found
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 household add                      đọc lời xin phép rồi hỏi · reads out, then asks
  langso phone --at may-1 household add --hamlet \"Ngàn Chi\" --hint \"cạnh trường\" \\
      --person female,b60,smart,nfc --person male,1988 --consent witness
  langso phone --at may-1 household find ngan chi
  langso phone --at may-1 household show \"Hộ 12\"

Một người · a person: female|male, u14|b14|b18|b35|b60 hoặc năm sinh, none|feature|smart, nfc|no-nfc, sim|no-sim";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Ghi một hộ, sau khi xin phép · writes a household down, after asking
    Add(Add),
    /// Các hộ theo thôn, theo số · households by hamlet and number
    List {
        /// Chỉ thôn này · of this hamlet alone
        #[arg(long, value_name = "HAMLET")]
        hamlet: Option<String>,
    },
    /// Các hộ máy này vừa ghi · households last written on this phone
    Recent,
    /// Tìm theo số, chữ không dấu, tên gọi, thôn, tên xã cũ · by number, words without marks, hamlet, old names
    Find {
        /// Gõ từ một chữ · from one character on
        #[arg(value_name = "TEXT", required = true)]
        text: Vec<String>,
        /// Chỉ thôn này · in this hamlet alone
        #[arg(long, value_name = "HAMLET")]
        hamlet: Option<String>,
    },
    /// Một hộ: người, đồng ý, hẹn, lần giúp · one household with all there is
    Show {
        /// "Hộ 12" hoặc mã · by label or id
        #[arg(value_name = "HOUSEHOLD")]
        household: String,
    },
}

/// A household to write down.
#[derive(Debug, clap::Args)]
struct Add {
    /// Tên gọi trong tổ; bỏ trống = số hộ kế tiếp · the team's label; none = the next number
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Gợi nhớ chỗ ở · how to find the place
    #[arg(long, value_name = "TEXT")]
    hint: Option<String>,
    /// Thôn · the hamlet
    #[arg(long, value_name = "HAMLET")]
    hamlet: Option<String>,
    /// poor, near_poor, not_poor; bỏ trống = không ghi · none = not noted
    #[arg(long, value_name = "POVERTY")]
    poverty: Option<String>,
    /// Một người, nhiều lần được, ví dụ female,b60,smart,nfc · a person, given once or more
    #[arg(long, value_name = "WORDS")]
    person: Vec<String>,
    /// Đã đọc lời xin phép và được đồng ý, cách: witness, tick, sign · permission was given, and how
    #[arg(long, value_name = "WAY")]
    consent: Option<String>,
    /// Tên gọi để hẹn lại · the name used, for a return
    #[arg(long, value_name = "NAME", requires = "contact_consent")]
    contact_name: Option<String>,
    /// Số điện thoại để hẹn lại · the phone number, for a return
    #[arg(long, value_name = "NUMBER", requires = "contact_consent")]
    contact_phone: Option<String>,
    /// Đồng ý riêng cho liên hệ, cách · the consent to a contact, and how it was given
    #[arg(long, value_name = "WAY")]
    contact_consent: Option<String>,
}

/// Người trong hộ, không ghi tên · persons of a household, without names
#[derive(Debug, clap::Args)]
pub struct PersonArgs {
    #[command(subcommand)]
    verb: PersonVerb,
}

#[derive(Debug, clap::Subcommand)]
enum PersonVerb {
    /// Thêm một người · adds a person
    Add {
        /// Hộ · the household
        #[arg(long, value_name = "HOUSEHOLD")]
        household: String,
        /// Ví dụ female,b60,smart,nfc · such as female,b60,smart,nfc
        #[arg(value_name = "WORDS")]
        person: String,
    },
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        Verb::Add(add) => self::add(book, add),
        Verb::List { hamlet } => read::list(book, hamlet.as_deref()),
        Verb::Recent => read::recent(book),
        Verb::Find { text, hamlet } => find(book, text, hamlet.as_deref()),
        Verb::Show { household } => read::show(book, household),
    }
}

/// Households by what was typed.
pub(super) fn find(book: &Book, text: &[String], hamlet: Option<&str>) -> Outcome {
    read::find(book, &text.join(" "), hamlet)
}

pub(super) fn person(book: &Book, args: &PersonArgs) -> Outcome {
    let PersonVerb::Add { household, person } = &args.verb;
    let household = book.find_household("--household", household)?;
    let new = AddPerson { household, person: new_person(person)?, token: None };
    let saved = book.app.households().add_person(new)?;
    tell(format_args!("{}  {}", pick("Đã thêm người.", "The person is added."), saved.person));
    Ok(())
}

/// A person out of words such as `female,b60,smart,nfc`.
fn new_person(typed: &str) -> Outcome<NewPerson> {
    /// Of the list `yes_no_unknown`.
    const YES: u8 = 1;
    const NO: u8 = 2;
    let mut person = NewPerson::default();
    for word in typed.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let of = |list: &str| number_of(list, "--person", word).ok();
        match word.to_lowercase().as_str() {
            "nfc" => person.nfc = Some(YES),
            "no-nfc" => person.nfc = Some(NO),
            "sim" => person.own_sim = Some(YES),
            "no-sim" => person.own_sim = Some(NO),
            year if year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit()) => {
                person.birth_year = year.parse().ok();
            }
            _ => match (of("sexes"), of("age_bands"), of("phone_kinds")) {
                (Some(sex), ..) => person.sex = Some(sex),
                (_, Some(band), _) => person.band = Some(band),
                (_, _, Some(kind)) => person.phone_kind = Some(kind),
                _ => return Err(Failure::usage("input.unknown_choice", format_args!("--person {word}"))),
            },
        }
    }
    Ok(person)
}

fn add(book: &Book, args: &Add) -> Outcome {
    let asks = can_ask() && args.consent.is_none();
    let script = match asks {
        true => consent::read_out(book, "consent.script", book.only_hamlet())?,
        false => consent::script(book, "consent.script")?,
    };
    if asks && !yes_or_no(pick("Người dân đồng ý?", "Do they agree?"))? {
        tell(pick(
            "Vẫn giúp như thường. Lần này không ghi hộ.",
            "Help as usual. This visit is logged without a household.",
        ));
        return Ok(());
    }
    if !asks && args.consent.is_none() {
        return Err(Failure::usage("input.consent_missing", "--consent"));
    }
    let way = consent::way("--consent", args.consent.as_deref())?;
    let hamlet = hamlet(book, args.hamlet.as_deref(), asks)?;
    let label = label(book, args, hamlet, asks)?;
    let hint = match (&args.hint, asks) {
        (None, true) => ask(pick("Gợi nhớ chỗ ở (trống = không ghi):", "Place hint (empty = none):"))?,
        (hint, _) => hint.clone(),
    };
    let poverty = match args.poverty.as_deref() {
        Some(typed) => Some(number_of("poverty", "--poverty", typed)?),
        None if asks => chosen("poverty", pick("Hộ (trống = không ghi):", "Household (empty = not noted):"))?,
        None => None,
    };
    let mut persons = args.person.iter().map(|typed| new_person(typed)).collect::<Outcome<Vec<_>>>()?;
    while asks && yes_or_no(pick("Thêm một người?", "Add a person?"))? {
        persons.push(ask_person()?);
    }
    let contact = contact(book, args)?;
    let checked =
        book.app.households().check_label(CheckLabel { label: label.clone(), hint: hint.clone() })?;
    if checked.looks_like_name {
        eprintln!(
            "{}",
            pick(
                "Tên người ghi ở mục Liên hệ, khi người dân đồng ý.",
                "A person's name belongs under Contact, with consent.",
            )
        );
    }
    let new = NewHousehold {
        label: label.clone(),
        hint,
        hamlet,
        poverty,
        persons,
        consent: Some(consent::given(&script, way)),
        contact,
        token: None,
    };
    let saved = book.app.households().create_household(new)?;
    let label = crate::terminal::clean(&label);
    tell(format_args!(
        "{label}: {}  {}",
        pick("đã lưu trên máy này.", "saved on this phone."),
        saved.household
    ));
    for (at, person) in saved.persons.iter().enumerate() {
        tell(format_args!("  {} {}  {person}", pick("người", "person"), at + 1));
    }
    tell(format_args!("  {}  {}", pick("đồng ý", "consent"), saved.consent));
    if let Some(contact) = saved.contact {
        tell(format_args!("  {}  {contact}", pick("liên hệ", "contact")));
    }
    Ok(())
}

fn hamlet(book: &Book, typed: Option<&str>, asks: bool) -> Outcome<Option<HamletId>> {
    let hamlets = book.hamlets();
    match (typed, hamlets) {
        (Some(typed), _) => Ok(Some(book.find_hamlet("--hamlet", typed)?)),
        (None, [one]) => Ok(Some(one.hamlet)),
        (None, [_, ..]) if asks => {
            let options: Vec<_> = hamlets.iter().map(|hamlet| hamlet.name.clone()).collect();
            let at = choose(pick("Thôn (trống = không ghi):", "Hamlet (empty = none):"), &options, true)?;
            Ok(at.map(|at| hamlets[at].hamlet))
        }
        _ => Ok(None),
    }
}

fn label(book: &Book, args: &Add, hamlet: Option<HamletId>, asks: bool) -> Outcome<String> {
    if let Some(label) = &args.label {
        return Ok(label.clone());
    }
    let suggested = book.app.households().suggest_label(SuggestLabel { hamlet })?.label;
    if !asks {
        return Ok(suggested);
    }
    let question = format!("{} [{suggested}]:", pick("Tên gọi hộ trong tổ", "The team's label"));
    Ok(ask(&question)?.unwrap_or(suggested))
}

/// One of a list, or none.
fn chosen(list: &str, question: &str) -> Outcome<Option<u8>> {
    let entries = entries(list);
    let options: Vec<_> = entries.iter().map(|entry| pick(&entry.vi, &entry.en).to_owned()).collect();
    Ok(choose(question, &options, true)?.map(|at| entries[at].number))
}

fn ask_person() -> Outcome<NewPerson> {
    let mut person = NewPerson {
        sex: chosen("sexes", pick("Nam nữ (trống = không ghi):", "Sex (empty = not noted):"))?,
        ..NewPerson::default()
    };
    while person.band.is_none() && person.birth_year.is_none() {
        person.band = chosen("age_bands", pick("Nhóm tuổi (trống = năm sinh):", "Age (empty = a year):"))?;
        if person.band.is_none() {
            let year = ask(pick("Năm sinh:", "Year of birth:"))?;
            person.birth_year = year.and_then(|year| year.parse().ok());
        }
    }
    let unknown = pick("(trống = không ghi):", "(empty = not noted):");
    let ask_list = |list: &str, vi: &str, en: &str| chosen(list, &format!("{} {unknown}", pick(vi, en)));
    person.phone_kind = ask_list("phone_kinds", "Điện thoại", "Phone")?;
    person.nfc = ask_list("yes_no_unknown", "Máy có NFC", "Phone has NFC")?;
    person.own_sim = ask_list("yes_no_unknown", "SIM chính chủ", "SIM in own name")?;
    Ok(person)
}

fn contact(book: &Book, args: &Add) -> Outcome<Option<GivenContact>> {
    let Some(way) = &args.contact_consent else { return Ok(None) };
    let script = consent::script(book, "consent.contact")?;
    let way = number_of("consent_ways", "--contact-consent", way)?;
    Ok(Some(GivenContact {
        consent: Some(consent::given(&script, way)),
        person: None,
        display_name: args.contact_name.clone(),
        phone: args.contact_phone.clone(),
        expires_on: None,
    }))
}
