//! The sidecar's connections to its resource server. Each is made, owned and chosen here, before the proof: hyper's
//! pooling client would choose the connection after the fields of the request are set.

use std::collections::HashMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2, TrySendError};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::clock::now;
use crate::connection::{sha256, Hash};
use crate::exporter;
use crate::identity::Identity;
use crate::jws::encode;
use crate::listener::Failure;
use crate::pem;
use crate::sidecar::AgentBody;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds for which a proof is used again on its connection: well within any window of `iat`.
const PROOF_LIFETIME: f64 = 60.0;
const MOST_PROOFS: usize = 1024;

/// The resource server, and the connections to it that wait for a request.
pub struct Upstream {
    /// Host and port, as they stand in the Host field and in `htu`.
    pub authority: String,
    host: ServerName<'static>,
    anchors: Arc<RootCertStore>,
    identity: RwLock<Arc<Identity>>,
    idle: Mutex<Vec<(Arc<Link>, Sender)>>,
    /// Held while a connection is made, so that requests that arrive together share it if it speaks HTTP/2.
    connecting: tokio::sync::Mutex<()>,
}

/// What belongs to one connection, and goes with it.
pub struct Link {
    ekm: String,
    identity: Arc<Identity>,
    /// Proofs for this connection by the hash of their token, with the time they were made.
    proofs: Mutex<HashMap<Hash, (String, f64)>>,
}

enum Sender {
    /// One request at a time: whoever has it, has the connection.
    Http1(http1::SendRequest<AgentBody>),
    Http2(http2::SendRequest<AgentBody>),
}

/// A connection, for one request.
pub struct Lease {
    pub link: Arc<Link>,
    sender: Sender,
}

impl Upstream {
    pub fn new(target: &str, server_ca: &str, identity: Identity) -> Result<Arc<Self>, Box<dyn Error>> {
        let target: Uri = target.parse()?;
        let authority = target.authority().ok_or("the upstream has no authority")?.to_string();
        let host = target.host().unwrap_or_default().trim_matches(['[', ']']);
        Ok(Arc::new(Self {
            authority,
            host: ServerName::try_from(host)?.to_owned(),
            anchors: pem::trust_anchors(server_ca)?,
            identity: RwLock::new(Arc::new(identity)),
            idle: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }))
    }

    /// Connections that are open keep the identity that they were made with (draft -06 Appendix C.2).
    pub fn rotate(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
    }

    /// A connection for a request; `bound_to` is the thumbprint that its token names, where it can be read.
    pub async fn lease(&self, bound_to: Option<&str>) -> Result<Lease, Failure> {
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(lease) = self.reuse(&identity, bound_to).await {
            return Ok(lease);
        }
        // The wait for others is part of it: if the server does not answer, they must not each wait after the other.
        timeout(CONNECT_TIMEOUT, async {
            let _one_at_a_time = self.connecting.lock().await;
            match self.reuse(&identity, bound_to).await {
                Some(lease) => Ok(lease),
                None => self.connect(identity).await,
            }
        })
        .await?
    }

    /// An open connection that was made with the identity the token is bound to, else with the present one.
    async fn reuse(&self, present: &Identity, bound_to: Option<&str>) -> Option<Lease> {
        loop {
            let mut lease = {
                let mut idle = self.idle();
                idle.retain(|(_, sender)| !sender.is_closed());
                let made_with =
                    |thumbprint: &str| idle.iter().position(|(link, _)| link.identity.thumbprint == thumbprint);
                let found = bound_to.and_then(made_with).or_else(|| made_with(&present.thumbprint))?;
                let (link, sender) = match &idle[found] {
                    (link, Sender::Http2(sender)) => (link.clone(), Sender::Http2(sender.clone())),
                    (_, Sender::Http1(_)) => idle.swap_remove(found),
                };
                Lease { link, sender }
            };
            if lease.sender.ready().await.is_ok() {
                return Some(lease);
            }
        }
    }

    async fn connect(&self, identity: Arc<Identity>) -> Result<Lease, Failure> {
        let presented = Arc::new(Presented { certified: identity.certified.clone(), done: AtomicBool::new(false) });
        let mut config = ClientConfig::builder()
            .with_root_certificates(self.anchors.clone())
            .with_client_cert_resolver(presented.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // See the server: an exporter value of TLS 1.2 is worth nothing without it (RFC 7627 §5.4).
        config.require_ems = true;
        // A resumed handshake asks for no certificate, so it would not show whether the server knows this client.
        config.resumption = Resumption::disabled();

        let tcp = TcpStream::connect(&self.authority).await?;
        tcp.set_nodelay(true)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(self.host.clone(), tcp).await?;
        // Session-bound tokens are for mutually authenticated connections only (draft -06 §3.3.2 step 1).
        if !presented.done.load(Ordering::Relaxed) {
            return Err("the server has not asked for the client certificate".into());
        }
        let (_, tls) = stream.get_ref();
        let speaks_h2 = tls.alpn_protocol() == Some(b"h2");
        let link = Arc::new(Link { ekm: exporter::ekm(tls)?, identity, proofs: Mutex::default() });
        let sender = if speaks_h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.idle().push((link.clone(), Sender::Http2(sender.clone())));
            Sender::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Sender::Http1(sender)
        };
        Ok(Lease { link, sender })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Arc<Link>, Sender)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// A proof for `token` on this connection: one that was made already, while it is fresh.
    pub fn proof(&self, token: &str) -> Result<String, Failure> {
        let (token, now) = (sha256(token), now());
        let mut proofs = self.proofs();
        if let Some((proof, made)) = proofs.get(&token) {
            if (0.0..PROOF_LIFETIME).contains(&(now - made)) {
                return Ok(proof.clone());
            }
        }
        let claims = json!({ "ath": encode(token), "ekm": self.ekm, "iat": now as u64 });
        let proof = self.identity.prove(&claims)?;
        if proofs.len() >= MOST_PROOFS {
            proofs.clear();
        }
        proofs.insert(token, (proof.clone(), now));
        Ok(proof)
    }

    /// A proof for one request only, to `htu` with the method `htm` (draft -06 §2.3.2.2).
    pub fn proof_of_request(&self, token: &str, htm: &str, htu: &str) -> Result<String, Failure> {
        let mut jti = [0; 16];
        SystemRandom::new().fill(&mut jti)?;
        Ok(self.identity.prove(&json!({
            "ath": encode(sha256(token)),
            "ekm": self.ekm,
            "iat": now() as u64,
            "jti": encode(jti),
            "htm": htm,
            "htu": htu,
        }))?)
    }

    /// After a refusal: what is wrong with the proof, another one may not have.
    pub fn forget(&self, token: &str) {
        self.proofs().remove(&sha256(token));
    }

    fn proofs(&self) -> MutexGuard<'_, HashMap<Hash, (String, f64)>> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub fn speaks_h2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends the request. The error has it back where none of it was sent.
    pub async fn send(
        &mut self,
        request: Request<AgentBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<AgentBody>>> {
        match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(request).await,
            Sender::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

impl Sender {
    fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::Http1(sender) => sender.ready().await,
            Self::Http2(sender) => sender.ready().await,
        }
    }
}

/// A response body that gives an HTTP/1.1 connection back when it ends: another request may follow only then. One that
/// ends early closes its connection, which shows when it is to be used again.
pub struct Returning {
    body: Incoming,
    lease: Option<Lease>,
    upstream: Arc<Upstream>,
}

impl Returning {
    pub fn new(body: Incoming, lease: Lease, upstream: Arc<Upstream>) -> Self {
        Self { body, lease: Some(lease), upstream }
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        // One of HTTP/2 was never taken away.
        if let Some(Lease { link, sender: sender @ Sender::Http1(_) }) = self.lease.take() {
            self.upstream.idle().push((link, sender));
        }
    }
}

impl Body for Returning {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Presents the certificate, and tells whether it was asked for: rustls itself does not.
#[derive(Debug)]
struct Presented {
    certified: Arc<CertifiedKey>,
    done: AtomicBool,
}

impl ResolvesClientCert for Presented {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.certified.key.choose_scheme(schemes)?;
        self.done.store(true, Ordering::Relaxed);
        Some(self.certified.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
