//! The Session-Binding Proof (draft -06 §2.3), and its verification in full (§3.3.2 step 5 e to i).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::de::IgnoredAny;
use serde::Deserialize;

use crate::connection::{sha256, ClientCertificate, Hash};
use crate::json::{object, present};
use crate::jws::{encode, Jws};
use crate::refusal::Refusal;

/// The header field, in the lower case of HTTP/2; HTTP/1.1 has no case (draft -06 §7.3).
pub const FIELD: &str = "session-binding-proof";
pub const TYPE: &str = "tls-binding-proof+jwt";

/// Seconds that a proof may be old when it is first seen on a connection, and ahead of this server's clock.
const OLDEST: f64 = 300.0;
const CLOCK_SKEW: f64 = 60.0;

/// Identifiers of proofs remembered at most, some 50 MB: more are refused rather than older ones forgotten.
const MOST_IDENTIFIERS: usize = 500_000;

/// What a proof is held against.
pub struct Expected<'a> {
    pub ekm: &'a str,
    pub certificate: &'a ClientCertificate,
    /// SHA-256 of the access token as it was presented.
    pub token: &'a Hash,
    pub token_expires: f64,
    pub method: &'a str,
    pub authority: Option<&'a str>,
    pub path: &'a str,
    pub now: f64,
}

/// Whether a proof holds for the connection, or (`jti`, `htm`, `htu`) for one request only.
#[derive(PartialEq)]
pub enum Holds {
    ForConnection,
    ForRequest,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
    // jwk, x5c, jku, x5u and kid are not even read: the key is the one that the handshake has authenticated.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    b64: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    ath: String,
    ekm: String,
    iat: f64,
    #[serde(default, deserialize_with = "present")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    jti: Option<String>,
    #[serde(default, deserialize_with = "present")]
    htm: Option<String>,
    #[serde(default, deserialize_with = "present")]
    htu: Option<String>,
}

/// The identifiers of proofs that were served, for as long as their tokens are valid (draft -06 §2.3.2.2).
#[derive(Default)]
pub struct Identifiers {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Until when, by the hash of token and identifier.
    until: HashMap<Hash, f64>,
    /// At how many of them to look for those that are over.
    purge_at: usize,
}

pub fn verify(proof: &str, expected: &Expected, identifiers: &Identifiers) -> Result<Holds, Refusal> {
    let jws = Jws::parse(proof).ok_or(Refusal::invalid_proof("the proof is not a JWS in compact serialization"))?;
    let header: Header = object(&jws.header)
        .ok_or(Refusal::invalid_proof("the header of the proof is not an object with typ, alg and x5t#S256"))?;
    // Explicit typing keeps other JWTs that are signed with this key out (RFC 8725 §3.11).
    if header.typ != TYPE {
        return Err(Refusal::invalid_proof("the proof is of another type than tls-binding-proof+jwt"));
    }
    if header.crit.is_some() || header.b64.is_some() {
        return Err(Refusal::invalid_proof("the proof has extensions that are not understood"));
    }
    if header.thumbprint != expected.certificate.thumbprint {
        return Err(Refusal::invalid_proof("x5t#S256 of the proof is not the certificate of this connection"));
    }
    if !expected.certificate.key.verifies(&header.alg, jws.signing_input, &jws.signature) {
        return Err(Refusal::invalid_proof("the proof is not signed with the key of this connection's certificate"));
    }

    let claims: Claims = object(&jws.payload)
        .ok_or(Refusal::invalid_proof("the claims of the proof are not an object with ath, ekm and iat"))?;
    // Both are compared as text: another spelling of the same octets is no proof of anything. Nor is this secret from
    // whom it is compared for: the client has the value of its own connection.
    if claims.ekm != expected.ekm {
        return Err(Refusal::invalid_proof("ekm is not the exporter value of this connection"));
    }
    if claims.ath != encode(expected.token) {
        return Err(Refusal::invalid_proof("ath is not the hash of the access token"));
    }
    let age = expected.now - claims.iat;
    if !(-CLOCK_SKEW..=OLDEST).contains(&age) {
        return Err(Refusal::invalid_proof("iat is outside of the acceptable window"));
    }
    // The draft gives them no meaning, but no JWT is to be processed outside of them (RFC 7519 §4.1.4, §4.1.5).
    if claims.exp.is_some_and(|exp| exp <= expected.now) {
        return Err(Refusal::invalid_proof("the proof has expired"));
    }
    if claims.nbf.is_some_and(|nbf| nbf > expected.now + CLOCK_SKEW) {
        return Err(Refusal::invalid_proof("the proof is not valid yet"));
    }

    if claims.htm.as_ref().is_some_and(|htm| htm != expected.method) {
        return Err(Refusal::invalid_proof("htm is not the method of this request"));
    }
    if claims.htu.as_ref().is_some_and(|htu| !expected.is_target(htu)) {
        return Err(Refusal::invalid_proof("htu is not the target of this request"));
    }
    if claims.jti.as_ref().is_some_and(String::is_empty) {
        return Err(Refusal::invalid_proof("jti is empty"));
    }
    // Last, so that a proof that fails for another reason does not use its identifier up.
    if claims.jti.as_ref().is_some_and(|jti| !identifiers.first_use(jti, expected)) {
        return Err(Refusal::invalid_proof("a proof with this jti has been used"));
    }

    let per_request = claims.jti.is_some() || claims.htm.is_some() || claims.htu.is_some();
    Ok(if per_request { Holds::ForRequest } else { Holds::ForConnection })
}

impl Expected<'_> {
    /// The draft says "target URI" and shows a path (§2.3.2.2): both are taken, as they are, without query.
    fn is_target(&self, htu: &str) -> bool {
        htu == self.path || self.authority.is_some_and(|authority| htu == format!("https://{authority}{}", self.path))
    }
}

impl Identifiers {
    /// Judged and noted under one lock, so that of two streams with the same proof one is served at most.
    fn first_use(&self, jti: &str, expected: &Expected) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.until.len() >= seen.purge_at {
            seen.until.retain(|_, until| *until > expected.now);
            seen.purge_at = (2 * seen.until.len()).clamp(1024, MOST_IDENTIFIERS);
        }
        let identifier = sha256([expected.token, jti.as_bytes()].concat());
        if seen.until.len() >= MOST_IDENTIFIERS || seen.until.contains_key(&identifier) {
            return false;
        }
        seen.until.insert(identifier, expected.token_expires);
        true
    }
}
