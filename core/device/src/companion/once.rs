//! A save that a second tap does not repeat: the form's token leads to the first tap's answer.

use rusqlite::OptionalExtension;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{AppError, Result};
use crate::phone::{Phone, Saving};

const LONGEST_TOKEN: usize = 64;

/// The answer that was given for this token of this call. Tokens of two calls never meet.
pub(super) fn answered<T: DeserializeOwned>(
    phone: &Phone,
    call: &str,
    token: Option<&str>,
) -> Result<Option<T>> {
    let Some(token) = token else { return Ok(None) };
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err(AppError::invalid("token", "bad_token"));
    }
    let sql = "SELECT answer FROM saved_once WHERE token = ?1";
    let mut get = phone.connection().prepare_cached(sql)?;
    let answer: Option<String> = get.query_row([format!("{call} {token}")], |row| row.get(0)).optional()?;
    answer.map(|answer| serde_json::from_str(&answer).map_err(|_| AppError::Corrupt)).transpose()
}

/// Saves, and keeps the answer under the token.
pub(super) fn save<T: Serialize>(
    phone: &mut Phone,
    call: &str,
    token: Option<&str>,
    write: impl FnOnce(&mut Saving<'_, '_>) -> Result<T>,
) -> Result<T> {
    phone.save(|saving| {
        let answer = write(saving)?;
        if let Some(token) = token {
            let text = serde_json::to_string(&answer).map_err(AppError::unexpected)?;
            let sql = "INSERT INTO saved_once (token, answer) VALUES (?1, ?2)";
            saving.connection().prepare_cached(sql)?.execute((format!("{call} {token}"), text))?;
        }
        Ok(answer)
    })
}
