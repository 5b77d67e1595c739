//! HTTP as this phone speaks it: one connection, no proxy of the environment, no redirect, and a time limit on
//! silence, never on the whole.

use std::time::Duration;

use langso_sync::wire::CONTENT_TYPE;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE as CONTENT_TYPE_NAME};
use reqwest::{Client, Response};

use crate::error::{AppError, Result};

/// How long a connection may be silent: a 2G link in the mountains pauses for many seconds.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(20);

/// The phone's HTTP client. Cheap to clone; all clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Http(Client);

/// What went wrong on the way.
pub(crate) enum Broken {
    /// Nothing was reached.
    NotReached,
    /// The connection ended early.
    Cut,
}

impl Http {
    pub fn new() -> Result<Self> {
        let builder = Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .tcp_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let builder = builder.tcp_user_timeout(SILENCE);
        builder.build().map(Self).map_err(|_| AppError::unexpected("http client"))
    }

    /// Posts a body; gives the reply as it begins.
    pub async fn post(&self, url: &str, body: Vec<u8>) -> std::result::Result<Response, Broken> {
        let sent =
            self.0.post(url).header(CONTENT_TYPE_NAME, CONTENT_TYPE).header(ACCEPT, "*/*").body(body).send();
        sent.await.map_err(|error| if error.is_connect() { Broken::NotReached } else { Broken::Cut })
    }

    /// Posts a small body and reads the whole of a small reply, of at most `limit` bytes.
    pub async fn post_small(
        &self,
        url: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> std::result::Result<Vec<u8>, Broken> {
        whole(self.post(url, body).await?, limit).await
    }

    /// Asks by a signed request, with a body of JSON or none, and reads the whole of the reply.
    pub async fn ask(
        &self,
        url: &str,
        signed: String,
        body: Option<Vec<u8>>,
        limit: usize,
    ) -> std::result::Result<Vec<u8>, Broken> {
        let asked = match body {
            None => self.0.get(url),
            Some(body) => self.0.post(url).header(CONTENT_TYPE_NAME, "application/json").body(body),
        };
        let reply = asked.header(AUTHORIZATION, signed).send().await;
        let reply =
            reply.map_err(|error| if error.is_connect() { Broken::NotReached } else { Broken::Cut })?;
        whole(reply, limit).await
    }
}

async fn whole(mut reply: Response, limit: usize) -> std::result::Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.chunk().await.map_err(|_| Broken::Cut)? {
        if bytes.len() + chunk.len() > limit {
            return Err(Broken::Cut);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
