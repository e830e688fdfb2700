//! What a request must know of the TLS connection it came on: taken once, after the handshake, and shared by all of its
//! requests, whether they follow each other (HTTP/1.1) or are streams beside each other (HTTP/2).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ring::digest::{digest, SHA256};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::ServerConnection;

use crate::exporter;
use crate::jws::encode;
use crate::listener::Failure;
use crate::public_key::PublicKey;

/// Verified bindings that one connection remembers. Past that they are forgotten, which costs a verification.
const MOST_VERIFIED: usize = 1024;

pub type Hash = [u8; 32];

pub struct Connection {
    /// The exporter value, as it stands in a proof.
    pub ekm: String,
    pub certificate: Option<ClientCertificate>,
    verified: Mutex<HashMap<Hash, Hash>>,
}

/// The end-entity certificate that the client has authenticated itself with.
pub struct ClientCertificate {
    /// `x5t#S256` (RFC 8705 §3.1): over the whole certificate, not over its key.
    pub thumbprint: String,
    pub key: PublicKey,
}

impl Connection {
    pub fn new(tls: &ServerConnection) -> Result<Self, Failure> {
        // The first one is the end-entity certificate. Others the client may have sent are not its identity.
        let certificate = match tls.peer_certificates().and_then(<[_]>::first) {
            Some(certificate) => Some(ClientCertificate::new(certificate)?),
            None => None,
        };
        Ok(Self { ekm: exporter::ekm(tls)?, certificate, verified: Mutex::default() })
    }

    /// Whether this very proof has been verified for this very token on this connection (draft -06 §3.3.2).
    ///
    /// The draft asks for (connection, ath) only. Holding the proof against the one that was verified costs a hash, and
    /// a wrong proof is refused also where a right one came before it.
    pub fn has_verified(&self, token: &Hash, proof: &Hash) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(token) == Some(proof)
    }

    /// There is nothing to purge when the connection ends: the map goes with it.
    pub fn remember(&self, token: Hash, proof: Hash) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MOST_VERIFIED {
            verified.clear();
        }
        verified.insert(token, proof);
    }
}

impl ClientCertificate {
    fn new(certificate: &CertificateDer) -> Result<Self, Failure> {
        let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let key = PublicKey::from_spki(&spki).ok_or("the client certificate has a key of an unknown type")?;
        Ok(Self { thumbprint: encode(sha256(certificate)), key })
    }
}

pub fn sha256(octets: impl AsRef<[u8]>) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, octets.as_ref()).as_ref());
    hash
}
