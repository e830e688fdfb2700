//! A JWS in its compact serialization (RFC 7515 §3.1), taken apart and not yet believed.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;

pub struct Jws<'a> {
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
    /// The octets that are signed: as they were received, never put together anew.
    pub signing_input: &'a [u8],
}

impl<'a> Jws<'a> {
    /// `None` for anything but three parts of unpadded, canonical base64url: a JWE, a JSON serialization, a detached
    /// payload (its part is empty, which no JSON object is).
    pub fn parse(text: &'a str) -> Option<Self> {
        let (signing_input, signature) = text.rsplit_once('.')?;
        let (header, payload) = signing_input.split_once('.')?;
        Some(Self {
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
            signing_input: signing_input.as_bytes(),
        })
    }
}

/// The engine refuses padding, other alphabets, and bits that are left over and not zero. A dot is in no alphabet.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}
