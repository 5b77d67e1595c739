//! The slip that the citizen keeps: the household's code, by which the commune shows, corrects or erases what is kept.

use langso_domain::id::HouseholdId;
use langso_domain::rights_code::RightsCode;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::super::consents;
use super::super::receipts::{Ladder, Receipt};
use super::super::walk::Places;
use crate::error::{AppError, Result};
use crate::phone::Phone;

/// What is copied onto the slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct RightsSlip {
    /// The household; of those that were joined the one that shows.
    pub household: HouseholdId,
    /// Two groups of four, such as `K7QX-3M0T`. The same for ever.
    pub code: String,
    /// Where the code is: the commune can look it up when it is at the hub.
    pub receipt: Receipt,
}

/// The slip of a household. The code is made when it is first asked for: offline, by chance, and kept with the
/// household from then on.
pub(super) fn slip(phone: &mut Phone, of: HouseholdId) -> Result<RightsSlip> {
    let known = phone.known()?;
    let household = Places::new(phone.connection(), &known)?.shown(of);
    let held = held(phone, household)?.ok_or(AppError::NotFound)?;
    let code = match held.0 {
        Some(code) => code,
        None if consents::to_record(phone, household)?.is_none() => {
            return Err(AppError::invalid("household", "no_consent"));
        }
        None => {
            let code = draw()?;
            let field = [("rights_code", code.to_bytes().to_vec().into())];
            phone.save(|saving| saving.patch("household", household.0, field))?;
            code
        }
    };
    let (_, more) = self::held(phone, household)?.ok_or(AppError::NotFound)?;
    let receipt = Ladder::new(phone)?.of_row(household.0, more.as_deref())?;
    Ok(RightsSlip { household, code: code.to_string(), receipt })
}

type Held = (Option<RightsCode>, Option<Vec<u8>>);

fn held(phone: &Phone, household: HouseholdId) -> Result<Option<Held>> {
    let sql = "SELECT rights_code, v_more FROM live_households WHERE id = ?1";
    let mut get = phone.connection().prepare_cached(sql)?;
    let found = get.query_row([household.0.0], |row| {
        let code: Option<Vec<u8>> = row.get(0)?;
        Ok((code.and_then(|code| RightsCode::from_bytes(&code)), row.get(1)?))
    });
    Ok(found.optional()?)
}

fn draw() -> Result<RightsCode> {
    loop {
        let random = getrandom::u64().map_err(AppError::unexpected)?;
        if let Some(code) = RightsCode::from_random(random) {
            return Ok(code);
        }
    }
}
