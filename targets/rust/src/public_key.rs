//! Public keys of certificates and of JWKs, and the JWS algorithms that fit each (RFC 7518 §3, RFC 8037, RFC 9864).

use ring::rsa::PublicKeyComponents;
use ring::signature::{self, RsaParameters, UnparsedPublicKey};
use rustls::pki_types::{alg_id, SubjectPublicKeyInfoDer};
use serde::Deserialize;

use crate::jws::decode;

/// The key types that ring verifies. It has no P-521, so rustls does not offer that signature scheme either, and a client
/// with such a key cannot authenticate itself.
pub enum PublicKey {
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
    Rsa(PublicKeyComponents<Vec<u8>>),
}

/// The members of a JWK (RFC 7517) that say which public key it is.
#[derive(Deserialize)]
pub struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl PublicKey {
    /// Whether `signature` is one of `message` by this key under the JWS algorithm `alg`.
    ///
    /// The key decides which algorithms there are to choose from, so `none`, the HMACs and those of another key type or
    /// curve are not refused one by one: they do not exist here (draft -06 §2.3.3, RFC 8725 §3.1).
    pub fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, alg) {
            // The fixed-length form of JWS; the ASN.1 form of TLS is another algorithm in ring.
            (Self::P256(point), "ES256") => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Self::P384(point), "ES384") => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Self::Ed25519(key), "EdDSA" | "Ed25519") => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature)
            }
            (Self::Rsa(components), _) => match rsa_parameters(alg) {
                Some(parameters) => components.verify(parameters, message, signature),
                None => return false,
            },
            _ => return false,
        }
        .is_ok()
    }

    /// The key of a certificate.
    pub fn from_spki(spki: &SubjectPublicKeyInfoDer) -> Option<Self> {
        let (fields, _) = element(SEQUENCE, spki)?;
        let (algorithm, rest) = element(SEQUENCE, fields)?;
        let (bits, _) = element(BIT_STRING, rest)?;
        let key = bits.strip_prefix(&[0])?;
        if algorithm == alg_id::ECDSA_P256.as_ref() {
            Some(Self::P256(key.to_vec()))
        } else if algorithm == alg_id::ECDSA_P384.as_ref() {
            Some(Self::P384(key.to_vec()))
        } else if algorithm == alg_id::ED25519.as_ref() {
            Some(Self::Ed25519(key.to_vec()))
        } else if algorithm == alg_id::RSA_ENCRYPTION.as_ref() {
            let (numbers, _) = element(SEQUENCE, key)?;
            let (n, rest) = element(INTEGER, numbers)?;
            let (e, _) = element(INTEGER, rest)?;
            Some(Self::rsa(n, e))
        } else {
            None
        }
    }

    pub fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let octets = |member: &Option<String>| member.as_deref().and_then(decode);
        match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("EC", Some("P-256")) => Some(Self::P256(point(octets(&jwk.x)?, octets(&jwk.y)?))),
            ("EC", Some("P-384")) => Some(Self::P384(point(octets(&jwk.x)?, octets(&jwk.y)?))),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519(octets(&jwk.x)?)),
            ("RSA", None) => Some(Self::rsa(&octets(&jwk.n)?, &octets(&jwk.e)?)),
            _ => None,
        }
    }

    /// ring takes the numbers without leading zeros; in DER they have one where their first bit is set.
    fn rsa(n: &[u8], e: &[u8]) -> Self {
        let unsigned = |number: &[u8]| number.iter().copied().skip_while(|octet| *octet == 0).collect();
        Self::Rsa(PublicKeyComponents { n: unsigned(n), e: unsigned(e) })
    }
}

/// All of them ask for at least 2048 bits.
fn rsa_parameters(alg: &str) -> Option<&'static RsaParameters> {
    match alg {
        "PS256" => Some(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => Some(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => Some(&signature::RSA_PSS_2048_8192_SHA512),
        "RS256" => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// The uncompressed form of SEC 1 §2.3.3.
fn point(x: Vec<u8>, y: Vec<u8>) -> Vec<u8> {
    [vec![4], x, y].concat()
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The content of the DER element at the start of `der`, and what follows it.
///
/// Enough for a SubjectPublicKeyInfo, which webpki has parsed before: neither ring nor rustls shows its DER reader.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
