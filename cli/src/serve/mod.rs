//! `langso serve`: the hub by itself. Settings come from flags, then the environment, then a TOML file; it logs to
//! standard error and stops at a signal without cutting a commit.

mod settings;

use std::path::Path;

use langso_domain::id::to_base32;
use langso_hub::server::{Running, Server, StartError};
use langso_hub::{keys, log};

use crate::admin;
use crate::terminal::tell;
use crate::words::{Exit, Failure, Outcome, pick};

pub use settings::Args;
use settings::{LogFormat, Settings};

/// Runs a hub until it is told to stop.
///
/// # Errors
/// Exit 2 for wrong settings; exit 4 when the folder or the address cannot be used; 1 for a damaged log or key.
pub fn run(args: Args) -> Outcome {
    let settings = args.read()?;
    begin_log(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new("unexpected", error.kind()))?.block_on(serve(settings))
}

fn begin_log(settings: &Settings) -> Outcome {
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.log)
        .map_err(|_| Failure::usage("cli.config", "--log"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours only where somebody looks on.
    let lines = lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let begun = match settings.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    begun.map_err(|_| Failure::new("unexpected", "log"))
}

async fn serve(settings: Settings) -> Outcome {
    let signals = Signals::new()?;
    let Settings { config, is_json, .. } = settings;
    let (folder, listen) = (config.folder.clone(), config.listen);
    let running = Server::start(config).await.map_err(|error| cannot_start(error, &folder, listen))?;
    greet(&running, &folder, is_json);
    signals.wait().await;
    tracing::info!("stopping");
    let stopped = running.shutdown().await;
    stopped.map_err(|_| Failure::new("unexpected", "server"))?;
    tracing::info!("stopped");
    Ok(())
}

fn greet(running: &Running, folder: &Path, is_json: bool) {
    let address = format!("http://{}", running.addr);
    let fingerprint = to_base32(&running.hub.fingerprint().0);
    // A log that cannot be read says so at the first request.
    let last = running.hub.log.last_backup().ok().flatten().map(|last| last.at);
    let now = running.hub.clock.now();
    if last.is_none_or(|last| admin::is_old(last, now)) {
        tracing::warn!(
            backup_at_ms = last.map(|last| last.0),
            "no backup of these days: phones keep everything"
        );
    }
    if is_json {
        let line = serde_json::json!({
            "address": address, "fingerprint": fingerprint, "data": folder, "pid": std::process::id(),
            "backup_at_ms": last.map(|last| last.0),
        });
        return tell(line);
    }
    tell(pick("Máy chủ Làng Số đang chạy", "The Làng Số hub is running"));
    tell(format_args!("{} {address}", pick("Địa chỉ: ", "Address:    ")));
    tell(format_args!("{} {fingerprint}", pick("Vân khóa:", "Fingerprint:")));
    tell(format_args!("{} {}", pick("Thư mục: ", "Folder:     "), folder.display()));
    tell(admin::said_of(last, now));
    tell(pick("Dừng bằng Ctrl+C", "Stop with Ctrl+C"));
}

/// Why there is no hub, as people are told.
fn cannot_start(error: StartError, folder: &Path, listen: std::net::SocketAddr) -> Failure {
    let in_use = [std::io::ErrorKind::AddrInUse, std::io::ErrorKind::AddrNotAvailable];
    match error {
        StartError::Io(error) if in_use.contains(&error.kind()) => locked("cli.listen", listen),
        other => cannot_open(other, folder),
    }
}

fn locked(code: &str, at: impl std::fmt::Display) -> Failure {
    Failure { exit: Exit::Locked, ..Failure::new(code, at) }
}

/// Why a hub's folder cannot be opened, as people are told.
pub(crate) fn cannot_open(error: StartError, folder: &Path) -> Failure {
    match error {
        StartError::Io(error) | StartError::Keys(keys::KeyError::Io(error)) => match error.kind() {
            std::io::ErrorKind::StorageFull => Failure::new("storage_full", folder.display()),
            _ => locked("locked.folder_read_only", folder.display()),
        },
        StartError::Keys(_) => Failure::new("cli.hub_key", folder.join("hub.key").display()),
        StartError::Log(log::Error::Newer { .. }) => {
            Failure::new("outdated_app", folder.join("hub.db").display())
        }
        StartError::Log(_) => Failure::new("cli.hub_log", folder.join("hub.db").display()),
        StartError::NoRandomness(_) => Failure::new("unexpected", "random"),
    }
}

/// What tells the hub to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Outcome<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| Failure::new("unexpected", error.kind()))?,
        })
    }

    #[cfg(unix)]
    async fn wait(mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
