//! `langso phone consent` and `contact`: the text that is read out, what was said, and how to reach a household.

use langso_device::companion::Nothing;
use langso_device::companion::consents::{GetScript, GivenConsent, NewConsent, Script, WithdrawConsent};
use langso_device::companion::contacts::{NewContact, OfContact};
use langso_domain::id::{ConsentId, ContactId};

use super::book::Book;
use crate::names::{self, text};
use crate::terminal::{can_ask, choose, tell, yes_or_no};
use crate::words::{Failure, Outcome, pick};

/// Xin phép ghi sổ, rút đồng ý · asking permission, and taking it back
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Đọc lời xin phép, hỏi có hay không, cách đồng ý · reads the text out, asks yes or no and how
    Ask(Ask),
    /// Rút đồng ý: liên hệ bị xóa, số liệu chung giữ nguyên · withdraws a consent: its contacts are erased
    Withdraw {
        /// Mã của lần đồng ý · the consent's id
        #[arg(value_name = "CONSENT")]
        consent: String,
    },
}

/// What is asked.
#[derive(Debug, clap::Args)]
struct Ask {
    /// Hộ đã có trong sổ · a household that is in the book
    #[arg(long, value_name = "HOUSEHOLD")]
    household: Option<String>,
    /// Xin giữ tên gọi, số điện thoại để hẹn lại · asks for a contact, for a return
    #[arg(long)]
    contact: bool,
    /// Câu trả lời · the answer
    #[arg(long, value_name = "yes|no", value_parser = ["yes", "no"])]
    answer: Option<String>,
    /// Cách đồng ý: witness, tick, sign · how it was given
    #[arg(long, value_name = "WAY")]
    way: Option<String>,
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        Verb::Ask(ask) => ask_consent(book, ask),
        Verb::Withdraw { consent } => withdraw(book, consent),
    }
}

/// The text of that code, read out.
pub(super) fn read_out(book: &Book, code: &str, hamlet: Option<&str>) -> Outcome<Script> {
    let script = script(book, code)?;
    let card = book.app.identity().get_card(Nothing {})?;
    let commune = in_a_sentence(&card.commune);
    let spoken = text(&script.script.text)
        .replace("{name}", script.asked_by.as_deref().unwrap_or_default())
        .replace("{hamlet}", &hamlet.map_or_else(|| commune.clone(), in_a_sentence))
        .replace("{commune}", &commune);
    tell(wrapped(&spoken));
    Ok(script)
}

/// A place's kind is written small inside a sentence: `xã Bình Liêu`.
fn in_a_sentence(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The newest text of that code.
pub(super) fn script(book: &Book, code: &str) -> Outcome<Script> {
    Ok(book.app.consents().get_script(GetScript { text: None, code: Some(code.to_owned()) })?)
}

/// Lines short enough to be read aloud.
fn wrapped(text: &str) -> String {
    const LONGEST: usize = 76;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > LONGEST {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// How a consent was given, as typed or asked for.
pub(super) fn way(field: &str, typed: Option<&str>) -> Outcome<u8> {
    match typed {
        Some(typed) => names::number_of("consent_ways", field, typed),
        None if can_ask() => {
            let entries = names::entries("consent_ways");
            let options: Vec<_> = entries.iter().map(|entry| pick(&entry.vi, &entry.en).to_owned()).collect();
            let question = pick("Đồng ý bằng cách nào?", "How was it given?");
            let at = choose(question, &options, false)?;
            let entry = at.and_then(|at| entries.get(at));
            entry.map(|entry| entry.number).ok_or_else(|| Failure::new("cli.no_answer", ""))
        }
        None => Err(Failure::usage("input.missing", field)),
    }
}

/// A consent to a text, given just now.
pub(super) fn given(script: &Script, way: u8) -> GivenConsent {
    GivenConsent { text: script.text.clone(), way, purposes: None, date: None }
}

fn ask_consent(book: &Book, ask: &Ask) -> Outcome {
    let household =
        ask.household.as_deref().map(|typed| book.find_household("--household", typed)).transpose()?;
    let code = if ask.contact { "consent.contact" } else { "consent.script" };
    let script = read_out(book, code, book.only_hamlet())?;
    let agrees = match ask.answer.as_deref() {
        Some(answer) => answer == "yes",
        None if can_ask() => yes_or_no(pick("Người dân đồng ý?", "Do they agree?"))?,
        None => return Err(Failure::usage("input.missing", "--answer")),
    };
    if !agrees {
        tell(match ask.contact {
            true => pick("Không giữ liên hệ.", "No contact is kept."),
            false => pick(
                "Vẫn giúp như thường. Lần này không ghi hộ.",
                "Help as usual. This visit is logged without a household.",
            ),
        });
        return Ok(());
    }
    let way = way("--way", ask.way.as_deref())?;
    let Some(household) = household else {
        tell(match crate::words::is_english() {
            false => format!("Ghi hộ bằng: household add --consent {}", names::code_of("consent_ways", way)),
            true => {
                format!("Write it down with: household add --consent {}", names::code_of("consent_ways", way))
            }
        });
        return Ok(());
    };
    let new = NewConsent { household, given: given(&script, way), token: None };
    let saved = book.app.consents().record_consent(new)?;
    tell(format_args!("{}  {}", pick("Đã ghi đồng ý trên máy này.", "The consent is kept."), saved.consent));
    Ok(())
}

fn withdraw(book: &Book, typed: &str) -> Outcome {
    let consent: ConsentId = typed.parse().map_err(|_| Failure::usage("input.not_found", "CONSENT"))?;
    let done = book.app.consents().withdraw_consent(WithdrawConsent { consent, date: None })?;
    tell(match crate::words::is_english() {
        false => format!("Đã rút đồng ý. Liên hệ đã xóa: {}.", done.contacts.len()),
        true => format!("Withdrawn. Contacts erased: {}.", done.contacts.len()),
    });
    Ok(())
}

/// Liên hệ để hẹn lại: giữ nhiều nhất 90 ngày · a contact for a return, kept for 90 days at most
#[derive(Debug, clap::Args)]
pub struct ContactArgs {
    #[command(subcommand)]
    verb: ContactVerb,
}

#[derive(Debug, clap::Subcommand)]
enum ContactVerb {
    /// Giữ một liên hệ dưới lần đồng ý của hộ · keeps a contact under a consent of the household
    Save {
        /// Hộ · the household
        #[arg(long, value_name = "HOUSEHOLD")]
        household: String,
        /// Mã của lần đồng ý giữ liên hệ · the id of the consent to a contact
        #[arg(long, value_name = "CONSENT")]
        consent: String,
        /// Tên gọi · the name used
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Số điện thoại · the phone number
        #[arg(long, value_name = "NUMBER")]
        phone: Option<String>,
    },
    /// Xóa một liên hệ · erases a contact
    Erase {
        /// Mã của liên hệ · the contact's id
        #[arg(value_name = "CONTACT")]
        contact: String,
    },
}

pub(super) fn contact(book: &Book, args: &ContactArgs) -> Outcome {
    match &args.verb {
        ContactVerb::Save { household, consent, name, phone } => {
            let new = NewContact {
                contact: None,
                consent: consent.parse().map_err(|_| Failure::usage("input.not_found", "--consent"))?,
                household: book.find_household("--household", household)?,
                person: None,
                display_name: name.clone(),
                phone: phone.clone(),
                expires_on: None,
                token: None,
            };
            let saved = book.app.contacts().save_contact(new)?;
            let until = pick("tự xóa ngày", "erased on");
            let kept = pick("Đã giữ liên hệ", "The contact is kept");
            tell(format_args!("{kept}, {until} {}  {}", saved.expires_on.0.vi(), saved.contact));
        }
        ContactVerb::Erase { contact } => {
            let contact: ContactId =
                contact.parse().map_err(|_| Failure::usage("input.not_found", "CONTACT"))?;
            book.app.contacts().erase_contact(OfContact { contact })?;
            tell(pick("Đã xóa liên hệ.", "The contact is erased."));
        }
    }
    Ok(())
}
