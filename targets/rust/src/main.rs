//! TLS-session-bound access tokens (draft-mw-oauth-tls-session-bound-tokens-06): a resource server, and a sidecar for
//! clients.

mod access_token;
mod clock;
mod connection;
mod exporter;
mod identity;
mod json;
mod jws;
mod listener;
mod pem;
mod proof;
mod public_key;
mod refusal;
mod resource_server;
mod server;
mod sidecar;
mod upstream;

use std::env;
use std::error::Error;
use std::fs;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{signal, SignalKind};

use access_token::Issuer;
use identity::Identity;
use resource_server::ResourceServer;
use server::Server;
use sidecar::Sidecar;
use upstream::Upstream;

/// What the target contract asks for where a role is not played.
const ROLE_NOT_PLAYED: u8 = 127;

fn main() -> ExitCode {
    let played = match env::var("TSBT_ROLE").as_deref() {
        Ok("resource-server") => resource_server(),
        Ok("client") => client(),
        _ => return ExitCode::from(ROLE_NOT_PLAYED),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn resource_server() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer {
        identifier: setting("TSBT_ISSUER")?,
        audience: setting("TSBT_AUDIENCE")?,
        keys: Issuer::read_keys(&fs::read(setting("TSBT_JWKS_FILE")?)?)?,
    };
    let server = Arc::new(Server::new(
        &setting("TSBT_TLS_CERT_FILE")?,
        &setting("TSBT_TLS_KEY_FILE")?,
        &setting("TSBT_CLIENT_CA_FILE")?,
        ResourceServer::new(issuer),
    )?);
    Runtime::new()?.block_on(async {
        let stopped = terminated()?;
        let listener = TcpListener::bind(setting("TSBT_LISTEN")?).await?;
        listener::accept(listener, stopped, |tcp, stopping| server.clone().serve(tcp, stopping)).await;
        Ok(())
    })
}

fn client() -> Result<(), Box<dyn Error>> {
    let (chain, key) = (setting("TSBT_TLS_CERT_FILE")?, setting("TSBT_TLS_KEY_FILE")?);
    let upstream =
        Upstream::new(&setting("TSBT_UPSTREAM")?, &setting("TSBT_SERVER_CA_FILE")?, Identity::read(&chain, &key)?)?;
    let per_request = env::var("TSBT_PROOF_CLAIMS").is_ok_and(|claims| claims == "request");
    let sidecar = Arc::new(Sidecar { upstream: upstream.clone(), per_request });
    Runtime::new()?.block_on(async {
        let stopped = terminated()?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                match Identity::read(&chain, &key) {
                    Ok(identity) => upstream.rotate(identity),
                    Err(failure) => eprintln!("the certificate stays as it was: {failure}"),
                }
            }
        });
        let listener = TcpListener::bind(setting("TSBT_LISTEN")?).await?;
        listener::accept(listener, stopped, |tcp, stopping| sidecar.clone().serve(tcp, stopping)).await;
        Ok(())
    })
}

/// As the first process of a container this one has no default action for SIGTERM: without a handler it would stay.
fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move { terminate.recv().await.unwrap_or_default() })
}

fn setting(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}
