//! The resource server's TLS with client certificates (rustls), and HTTP on top of it (hyper). Both share one
//! [`Connection`].

use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connection::Connection;
use crate::listener::{drive, Failure, Stopping};
use crate::pem;
use crate::resource_server::ResourceServer;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const LARGEST_HEADER: u32 = 64 * 1024;

pub struct Server {
    acceptor: TlsAcceptor,
    verifier: Arc<dyn ClientCertVerifier>,
    resource_server: ResourceServer,
}

impl Server {
    pub fn new(
        chain: &str,
        key: &str,
        client_ca: &str,
        resource_server: ResourceServer,
    ) -> Result<Self, Box<dyn Error>> {
        // A certificate that does not verify (unknown issuer, expired, not for clients) ends the handshake. A client
        // without any gets on, and is told what it lacks in HTTP.
        let verifier = WebPkiClientVerifier::builder(pem::trust_anchors(client_ca)?).allow_unauthenticated().build()?;
        let mut config = ServerConfig::builder()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(pem::chain(chain)?, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Without the extended master secret two TLS 1.2 connections can be made to share an exporter value (RFC 7627
        // §5.4). rustls exports one all the same, and its default is to get on with such clients.
        config.require_ems = true;
        // The default, stated because it matters: a request in early data can be replayed (draft -06 §5.3).
        config.max_early_data_size = 0;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), verifier, resource_server })
    }

    pub async fn serve(self: Arc<Self>, tcp: TcpStream, stopping: Stopping) -> Result<(), Failure> {
        tcp.set_nodelay(true)?;
        let stream = timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(tcp)).await??;
        let (_, tls) = stream.get_ref();
        self.verify_resumed(tls)?;
        let speaks_h2 = tls.alpn_protocol() == Some(b"h2");
        let connection = Connection::new(tls)?;

        // Each connection has a service of its own, which holds what its requests must know of it. It goes when the
        // connection has ended, however it ended.
        let service =
            service_fn(|request| ready(Ok::<_, Infallible>(self.resource_server.answer(&connection, &request))));
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).max_buf_size(LARGEST_HEADER as usize);
        http.http2().timer(TokioTimer::new()).max_header_list_size(LARGEST_HEADER);
        // What ALPN has agreed on, not what the client then begins with.
        let http = if speaks_h2 { http.http2_only() } else { http.http1_only() };
        drive(http.serve_connection(TokioIo::new(stream), service), stopping).await
    }

    /// A resumed handshake has no certificate messages: rustls takes the client's chain from the session it remembers,
    /// and does not look whether it would still be accepted. It may have expired since.
    fn verify_resumed(&self, tls: &ServerConnection) -> Result<(), rustls::Error> {
        match (tls.handshake_kind(), tls.peer_certificates()) {
            (Some(HandshakeKind::Resumed), Some([certificate, intermediates @ ..])) => {
                self.verifier.verify_client_cert(certificate, intermediates, UnixTime::now()).map(drop)
            }
            _ => Ok(()),
        }
    }
}
