//! The exporter value of a TLS connection (draft -06 §2.2), the same for both ends of it.

use rustls::{ConnectionCommon, Error};

use crate::jws::encode;

/// The label that §2.2 fixes, and that `cnf.tls_exp` of a token names.
pub const LABEL: &str = "EXPORTER-oauth-tls-session-bound";

/// The value as it stands in a proof: base64url of 32 octets. The handshake must be complete, rustls exports nothing
/// before; and it never exports from early data.
///
/// `Some(&[])` is the empty context of §2.2. On TLS 1.2 `None` would give other octets (RFC 5705 §4), on TLS 1.3 the same.
///
/// Taking it once is enough: it stays what it is for as long as the connection lives. rustls refuses to renegotiate, and
/// a KeyUpdate of TLS 1.3 does not touch the exporter secret.
pub fn ekm<Side>(tls: &ConnectionCommon<Side>) -> Result<String, Error> {
    tls.export_keying_material([0; 32], LABEL.as_bytes(), Some(&[])).map(encode)
}
