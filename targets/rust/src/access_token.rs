//! JWT access tokens (RFC 9068), and what they are bound to (RFC 8705 §3.1, draft -06 §2.4).

use std::error::Error;

use hyper::header::HeaderValue;
use serde::de::IgnoredAny;
use serde::Deserialize;
use serde_json::Value;

use crate::exporter;
use crate::json::{object, present, Object};
use crate::jws::Jws;
use crate::public_key::{Jwk, PublicKey};
use crate::refusal::Refusal;

/// The token of an Authorization field (RFC 6750 §2.1); the name of the scheme has no letter case (RFC 9110 §11.1).
pub fn bearer(credentials: &HeaderValue) -> Option<&str> {
    let (scheme, token) = credentials.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_matches(' '))
}

/// The issuer whose tokens are accepted.
pub struct Issuer {
    pub identifier: String,
    pub audience: String,
    pub keys: Vec<IssuerKey>,
}

pub struct IssuerKey {
    kid: Option<String>,
    alg: Option<String>,
    key: PublicKey,
}

/// An access token whose every claim has been checked.
pub struct AccessToken {
    pub subject: String,
    pub scope: String,
    /// Seconds since 1970.
    pub expires: f64,
    /// `cnf["x5t#S256"]`
    pub thumbprint: String,
    /// Whether it needs a proof: `cnf.tls_exp`.
    pub session_bound: bool,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    scope: Option<String>,
    #[serde(default, deserialize_with = "present")]
    cnf: Option<Object<Confirmation>>,
    // RFC 9068 §2.2 requires these; nothing here depends on what they say.
    #[serde(rename = "iat")]
    _iat: f64,
    #[serde(rename = "jti")]
    _jti: String,
    #[serde(rename = "client_id")]
    _client_id: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256", default, deserialize_with = "present")]
    thumbprint: Option<String>,
    // Any value, so that one of a wrong type is seen, and is not taken for none (draft -06 §2.4).
    #[serde(default, deserialize_with = "present")]
    tls_exp: Option<Value>,
}

impl Issuer {
    /// Reads a JWK Set (RFC 7517 §5); keys that cannot verify a signature here are left out.
    pub fn read_keys(jwks: &[u8]) -> Result<Vec<IssuerKey>, Box<dyn Error>> {
        #[derive(Deserialize)]
        struct JwkSet {
            keys: Vec<Value>,
        }
        #[derive(Deserialize)]
        struct Entry {
            kid: Option<String>,
            alg: Option<String>,
            #[serde(rename = "use")]
            usage: Option<String>,
            #[serde(flatten)]
            jwk: Jwk,
        }
        let JwkSet { keys } = object(jwks).ok_or("the JWK Set is not an object with keys")?;
        let usable = |key: Value| {
            let Entry { kid, alg, usage, jwk } = serde_json::from_value(key).ok()?;
            let key = PublicKey::from_jwk(&jwk)?;
            usage.is_none_or(|usage| usage == "sig").then_some(IssuerKey { kid, alg, key })
        };
        Ok(keys.into_iter().filter_map(usable).collect())
    }

    /// RFC 9068 §4. Whatever is wrong is `invalid_token`; the signature comes first, so that nothing of an unverified
    /// token decides anything but which key to try.
    pub fn verify(&self, token: &str, now: f64) -> Result<AccessToken, Refusal> {
        const UNREADABLE: Refusal = Refusal::invalid_token("the token is not a JWT access token of RFC 9068");
        let jws = Jws::parse(token).ok_or(UNREADABLE)?;
        let header: Header = object(&jws.header).ok_or(UNREADABLE)?;
        // Explicit typing: a proof, an ID token or a client assertion is not an access token (RFC 8725 §3.11).
        let typ = header.typ.to_ascii_lowercase();
        if typ != "at+jwt" && typ != "application/at+jwt" {
            return Err(Refusal::invalid_token("the token is of another type than at+jwt"));
        }
        if header.crit.is_some() {
            return Err(Refusal::invalid_token("the token has extensions that are not understood"));
        }
        if !self.keys.iter().any(|key| key.signed(&header, &jws)) {
            return Err(Refusal::invalid_token("no key of the issuer has signed the token"));
        }

        let claims: Claims = object(&jws.payload).ok_or(UNREADABLE)?;
        if claims.iss != self.identifier {
            return Err(Refusal::invalid_token("the token is from another issuer"));
        }
        let meant = match &claims.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Several(audiences) => audiences.contains(&self.audience),
        };
        if !meant {
            return Err(Refusal::invalid_token("the token is for another audience"));
        }
        if claims.exp <= now {
            return Err(Refusal::invalid_token("the token has expired"));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now) {
            return Err(Refusal::invalid_token("the token is not valid yet"));
        }

        // This server is for tokens that a thief cannot use: a plain bearer token is refused, and so is one that is
        // bound in a way unknown here (draft -06 §2.4 requires the thumbprint beside tls_exp too).
        const UNBOUND: Refusal = Refusal::invalid_token("the token is not bound to a client certificate");
        let Object(confirmation) = claims.cnf.ok_or(UNBOUND)?;
        let thumbprint = confirmation.thumbprint.ok_or(UNBOUND)?;
        // The label is fixed by §2.2. Another one, or no text at all, must not make the token one that needs no proof.
        let session_bound = match confirmation.tls_exp {
            None => false,
            Some(Value::String(label)) if label == exporter::LABEL => true,
            Some(_) => return Err(Refusal::invalid_token("the token names an unknown exporter label")),
        };
        Ok(AccessToken {
            subject: claims.sub,
            scope: claims.scope.unwrap_or_default(),
            expires: claims.exp,
            thumbprint,
            session_bound,
        })
    }
}

impl IssuerKey {
    fn signed(&self, header: &Header, jws: &Jws) -> bool {
        let named = header.kid.is_none() || header.kid == self.kid;
        let fits = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        named && fits && self.key.verifies(&header.alg, jws.signing_input, &jws.signature)
    }
}

impl AccessToken {
    pub fn has_scope(&self, wanted: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == wanted)
    }
}
