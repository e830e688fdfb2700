//! Why a request is refused, and the challenge that says so (draft -06 §3.5, RFC 6750 §3).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};

/// The texts are constants: whatever the request held, token, proof and exporter value never come back in an answer,
/// and the quoted strings of the challenge need no escapes.
pub struct Refusal {
    pub status: StatusCode,
    pub error: Option<&'static str>,
    pub description: &'static str,
}

impl Refusal {
    /// A request without credentials: the challenge has no error then (RFC 6750 §3.1).
    pub const NO_TOKEN: Self = Self { status: StatusCode::UNAUTHORIZED, error: None, description: "no bearer token" };

    pub const USE_SESSION_BINDING: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        error: Some("use_session_binding"),
        description: "the token is bound to a TLS session and needs a proof in Session-Binding-Proof",
    };

    pub const fn invalid_token(description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: Some("invalid_token"), description }
    }

    pub const fn invalid_proof(description: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: Some("invalid_proof"), description }
    }

    pub const fn invalid_request(description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: Some("invalid_request"), description }
    }

    pub const fn insufficient_scope(description: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, error: Some("insufficient_scope"), description }
    }

    pub fn response(&self) -> Response<Full<Bytes>> {
        let challenge = match self.error {
            None => String::from("Bearer"),
            Some(error) => format!("Bearer error=\"{error}\", error_description=\"{}\"", self.description),
        };
        let mut response = Response::new(Full::default());
        *response.status_mut() = self.status;
        // Constants of visible ASCII, so this does not fail.
        if let Ok(value) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}
