//! The lead's view: asked of the hub, by requests that this phone's key signs. Without a hub there is no answer; the
//! work waits there and nothing of it is lost.

use std::fmt::Write;

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, MemberId, RowId, read_base32};
use langso_domain::registry::{CURRENT, Field, Kind, VOID};
use langso_sync::change::Change;
use langso_sync::value::Value;
use langso_sync::wire::{Nonce, SignedGet, WAITING_PATH};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::SetAside;
use crate::companion::Day;
use crate::companion::known::Known;
use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::http::Broken;

/// The longest answer that is read: a page's bytes in base32, and what stands around them.
const MAX_ANSWER: usize = 1024 * 1024;
/// The most changes in one verdict; the hub takes as many.
const MOST: usize = 64;

/// Where a page begins.
#[derive(Debug, Clone, Default, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct WaitingAfter {
    /// `waiting` of the last change of the page before; none = the first page.
    #[serde(default)]
    #[uniffi(default)]
    pub after: Option<String>,
}

/// Which changes a verdict is about.
#[derive(Debug, Clone, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// `waiting` of each, at most 64.
    pub waiting: Vec<String>,
}

/// A page of what waits in the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SetAsidePage {
    /// Set aside first, oldest first; then numbers that came twice.
    pub waiting: Vec<WaitingChange>,
    /// More follow after the last.
    pub has_more: bool,
}

/// One save that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WaitingChange {
    /// Its name in a verdict.
    pub waiting: String,
    /// `out_of_scope`, `beyond_role`, `revoked_device`, `unknown_device`, `writer_elsewhere`, `malformed`,
    /// `other_bytes`; open list.
    pub reason: String,
    /// The phone that signed it.
    pub device: String,
    /// Whose phone that is; none for one that the hub does not know.
    pub member: Option<MemberId>,
    /// The member's name, when this phone knows it.
    pub member_name: Option<String>,
    /// When it came to the hub, ms UTC.
    pub arrived_at: i64,
    /// When it was saved, ms UTC, by the author's clock; none when it cannot be read.
    pub saved_at: Option<i64>,
    /// What it wrote; nothing when it cannot be read.
    pub rows: Vec<WaitingRow>,
    /// It can get a position; else it can only be entered anew.
    pub can_be_admitted: bool,
}

/// One row of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WaitingRow {
    /// Singular name of the table; empty for one of a newer program.
    pub table: String,
    /// The row.
    pub row: RowId,
    /// It is corrected, not made.
    pub is_correction: bool,
    /// What is written.
    pub fields: Vec<WaitingField>,
}

/// One field of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WaitingField {
    /// Its name; empty for one of a newer program.
    pub field: String,
    /// Its value: dates as `2024-06-15`, rows by their ids, bytes in hexadecimal; null clears the field.
    pub value: Json,
}

/// What became of each, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Decided {
    /// One line each.
    pub decided: Vec<DecidedChange>,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct DecidedChange {
    /// Its name.
    pub waiting: String,
    /// None = done; `not_found` when it waits no more, `cannot_be_applied`, `can_be_admitted`, `operator_only`; open list.
    pub problem: Option<String>,
}

/// As the hub says it.
#[derive(Deserialize)]
struct Page {
    waiting: Vec<One>,
    more: bool,
    nonce: String,
}

#[derive(Deserialize)]
struct One {
    waiting: String,
    reason: String,
    device: String,
    member: Option<String>,
    at_ms: i64,
    bytes: String,
}

#[derive(Deserialize)]
struct Verdicts {
    decided: Vec<DecidedChange>,
    nonce: String,
}

#[derive(Deserialize)]
struct Refused {
    problem: String,
    nonce: Option<String>,
}

impl SetAside<'_> {
    /// What waits in the team's scopes, with author, phone, time and content. Asks the hub.
    ///
    /// # Errors
    /// `Offline` when the hub was not reached; `NotAllowed { not_allowed }` for who leads no team.
    pub async fn list_set_aside(&self, input: WaitingAfter) -> Result<SetAsidePage> {
        let query = match &input.after {
            None => String::new(),
            Some(after) if after.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'/') => {
                format!("?after={after}")
            }
            Some(_) => return Err(AppError::invalid("after", "not_found")),
        };
        let answer = self.ask(&format!("{WAITING_PATH}{query}"), None).await?;
        let page: Page = serde_json::from_slice(&answer).map_err(|_| AppError::offline("not_a_hub"))?;
        self.keep_nonce(&page.nonce)?;
        let phone = self.0.phone();
        let known = phone.known()?;
        let waiting = page.waiting.into_iter().map(|one| change_of(one, &known)).collect();
        Ok(SetAsidePage { waiting, has_more: page.more })
    }

    /// Puts changes into the book; they get positions and come to every phone with its next sync.
    ///
    /// # Errors
    /// As [`SetAside::list_set_aside`]; `InvalidInput` for `waiting` (`missing`, `too_many`). What cannot be done is
    /// told in the answer and holds no other back.
    pub async fn admit_changes(&self, input: Waiting) -> Result<Decided> {
        self.decide("admit", input).await
    }

    /// As [`SetAside::admit_changes`], and strikes out what they made and puts back what they altered: it stays in
    /// sight and is counted nowhere.
    ///
    /// # Errors
    /// As [`SetAside::admit_changes`].
    pub async fn admit_and_void(&self, input: Waiting) -> Result<Decided> {
        self.decide("admit_and_void", input).await
    }

    /// Enters anew what came under a number that another change has: the hub says the same in a change of its own.
    ///
    /// # Errors
    /// As [`SetAside::admit_changes`].
    pub async fn reenter_change(&self, input: Waiting) -> Result<Decided> {
        self.decide("reenter", input).await
    }

    async fn decide(&self, verdict: &str, input: Waiting) -> Result<Decided> {
        match input.waiting.len() {
            0 => return Err(AppError::invalid("waiting", "missing")),
            1..=MOST => {}
            _ => return Err(AppError::invalid("waiting", "too_many")),
        }
        let body = json!({"verdict": verdict, "waiting": input.waiting}).to_string().into_bytes();
        let answer = self.ask(WAITING_PATH, Some(body)).await?;
        let told: Verdicts = serde_json::from_slice(&answer).map_err(|_| AppError::offline("not_a_hub"))?;
        self.keep_nonce(&told.nonce)?;
        Ok(Decided { decided: told.decided })
    }

    /// Asks the hub; once more with a fresh nonce when the old one is stale.
    async fn ask(&self, target: &str, body: Option<Vec<u8>>) -> Result<Vec<u8>> {
        for attempt in 0..2 {
            let (url, signed) = {
                let phone = self.0.phone();
                let identity = phone.enrolled()?;
                let nonce: Vec<u8> = facts::get(phone.connection(), name::NONCE)?.unwrap_or_default();
                let nonce = Nonce::from_bytes(&nonce).unwrap_or_default();
                let signed = match &body {
                    None => SignedGet::sign(&phone.key, nonce, target),
                    Some(body) => {
                        SignedGet::sign_post(&phone.key, nonce, target, &Sha256::digest(body).into())
                    }
                };
                (format!("{}{target}", identity.hub_url), signed.to_string())
            };
            let answer = self.0.http.ask(&url, signed, body.clone(), MAX_ANSWER).await;
            let answer = answer.map_err(|broken| {
                AppError::offline(match broken {
                    Broken::NotReached => "hub_unreachable",
                    Broken::Cut => "cut",
                })
            })?;
            let Ok(refused) = serde_json::from_slice::<Refused>(&answer) else { return Ok(answer) };
            match (refused.problem.as_str(), refused.nonce) {
                ("stale_nonce", Some(nonce)) if attempt == 0 => self.keep_nonce(&nonce)?,
                ("busy", _) => return Err(AppError::offline("hub_busy")),
                (problem, _) => return Err(AppError::not_allowed(word(problem))),
            }
        }
        Err(AppError::not_allowed("not_signed"))
    }

    fn keep_nonce(&self, text: &str) -> Result<()> {
        let Some(bytes) = Some(text).filter(|text| text.len() <= 64).and_then(read_base32) else {
            return Ok(());
        };
        self.0.phone().softly(|phone| facts::put(phone.connection(), name::NONCE, &bytes))
    }
}

/// The condition of a hub's refusal.
fn word(problem: &str) -> &'static str {
    match problem {
        "not_allowed" => "role",
        "revoked" => "revoked",
        "unknown_device" => "unknown_device",
        "too_large" => "too_large",
        "bad_signature" | "stale_nonce" => "not_signed",
        _ => "malformed",
    }
}

fn change_of(one: One, known: &Known) -> WaitingChange {
    let member = one.member.as_deref().and_then(|text| text.parse().ok().map(MemberId));
    let member_name = member.and_then(|member| known.members.get(&member)).map(|member| member.name.clone());
    let change = read_base32(&one.bytes).and_then(|bytes| Change::decode(&bytes).ok());
    let is_taken = matches!(one.reason.as_str(), "other_bytes" | "writer_elsewhere");
    WaitingChange {
        can_be_admitted: change.is_some() && !is_taken,
        saved_at: change.as_ref().map(|change| change.stamp.ms() as i64),
        rows: change.as_ref().map(rows_of).unwrap_or_default(),
        device: one.device.parse::<DeviceId>().map(|device| device.to_string()).unwrap_or_default(),
        waiting: one.waiting,
        reason: one.reason,
        member,
        member_name,
        arrived_at: one.at_ms,
    }
}

fn rows_of(change: &Change) -> Vec<WaitingRow> {
    let rows = change.rows.iter().enumerate().map(|(place, op)| {
        let table = CURRENT.table(op.table);
        let field = |(number, value): (&u8, &Value)| {
            let known = table.and_then(|table| table.field(*number));
            let field = if *number == VOID { "void" } else { known.map_or("", |field| field.name) };
            WaitingField { field: field.to_owned(), value: shown(known, value) }
        };
        WaitingRow {
            table: table.map_or("", |table| table.name).to_owned(),
            row: op.patch.as_ref().map_or(change.key.row(place as u8), |patch| patch.target),
            is_correction: op.patch.is_some(),
            fields: op.fields.iter().map(field).collect(),
        }
    });
    rows.collect()
}

fn shown(field: Option<&Field>, value: &Value) -> Json {
    match (field.map(|field| field.kind), value) {
        (Some(Kind::Date), Value::Int(days)) => {
            let day = i32::try_from(*days).ok().and_then(CivilDate::from_days);
            day.map_or(json!(days), |day| json!(Day(day)))
        }
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(yes)) => json!(yes),
        (_, Value::Int(number)) => json!(number),
        (_, Value::Text(text)) => json!(text),
        (_, Value::Ref(row)) => json!(row),
        (_, Value::Refs(rows)) => json!(rows),
        (_, Value::Bytes(bytes) | Value::Other(bytes)) => {
            let hex = bytes.iter().fold(String::new(), |mut text, byte| {
                // Writing into a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
            json!(hex)
        }
    }
}
