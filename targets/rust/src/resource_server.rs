//! The protected resource: who may have it (draft -06 §3.3.2), and what it answers.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderMap, HeaderValue, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::access_token::{bearer, AccessToken, Issuer};
use crate::clock::now;
use crate::connection::{sha256, Connection};
use crate::proof::{self, Expected, Holds, Identifiers};
use crate::refusal::Refusal;

const PROTECTED: &str = "/resource";
const SCOPED: &str = "/resource/scoped";
const COUNTER: &str = "/resource/counter";

pub struct ResourceServer {
    issuer: Issuer,
    identifiers: Identifiers,
    count: AtomicU64,
}

impl ResourceServer {
    pub fn new(issuer: Issuer) -> Self {
        Self { issuer, identifiers: Identifiers::default(), count: AtomicU64::new(0) }
    }

    /// The body of the request is of no interest, and is not read.
    pub fn answer<B>(&self, connection: &Connection, request: &Request<B>) -> Response<Full<Bytes>> {
        if !is_under(request.uri().path(), PROTECTED) {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        match self.authorise(connection, request) {
            Ok(token) => self.serve(&token, request),
            Err(refusal) => {
                let error = refusal.error.unwrap_or("no error");
                eprintln!("{} {}: {error}: {}", refusal.status.as_u16(), request.method(), refusal.description);
                refusal.response()
            }
        }
    }

    /// Every step for every request: only the verification of a proof is spared where it has been done.
    fn authorise<B>(&self, connection: &Connection, request: &Request<B>) -> Result<AccessToken, Refusal> {
        let now = now();
        let presented = bearer_token(request)?;
        let token = self.issuer.verify(presented, now)?;

        let Some(certificate) = &connection.certificate else {
            return Err(Refusal::invalid_token("the token needs a client certificate, and there is none"));
        };
        if token.thumbprint != certificate.thumbprint {
            return Err(Refusal::invalid_token("the token is bound to another client certificate"));
        }

        if token.session_bound {
            let proof = proof_of(request.headers())?;
            let (token_hash, proof_hash) = (sha256(presented), sha256(proof));
            if !connection.has_verified(&token_hash, &proof_hash) {
                let expected = Expected {
                    ekm: &connection.ekm,
                    certificate,
                    token: &token_hash,
                    token_expires: token.expires,
                    method: request.method().as_str(),
                    authority: authority(request),
                    path: request.uri().path(),
                    now,
                };
                // One that holds for a request has to be looked at each time (draft -06 §3.3.2 step 5i).
                if proof::verify(proof, &expected, &self.identifiers)? == Holds::ForConnection {
                    connection.remember(token_hash, proof_hash);
                }
            }
        }

        if is_under(request.uri().path(), SCOPED) && !token.has_scope("tsbt.scoped") {
            return Err(Refusal::insufficient_scope("the token lacks the scope tsbt.scoped"));
        }
        Ok(token)
    }

    fn serve<B>(&self, token: &AccessToken, request: &Request<B>) -> Response<Full<Bytes>> {
        let body = match (request.uri().path(), request.method()) {
            (COUNTER, &Method::POST) => {
                json!({ "sub": token.subject, "count": self.count.fetch_add(1, Ordering::Relaxed) + 1 })
            }
            (COUNTER, &Method::GET) => json!({ "sub": token.subject, "count": self.count.load(Ordering::Relaxed) }),
            _ => json!({ "sub": token.subject }),
        };
        let body = body.to_string();
        let mut response = Response::new(Full::default());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        // Over HTTP/2 hyper would send the content in answer to HEAD too, which ends the stream in an error.
        if request.method() != Method::HEAD {
            *response.body_mut() = Full::from(body);
        }
        response
    }
}

/// The token of the Authorization field (RFC 6750 §2.1), the one place where tokens are accepted.
fn bearer_token<B>(request: &Request<B>) -> Result<&str, Refusal> {
    let mut fields = request.headers().get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else {
        return Err(Refusal::NO_TOKEN);
    };
    // Which of two would be meant is anyone's guess (RFC 6750 §3.1).
    let in_query = || request.uri().query().is_some_and(|query| query.contains("access_token="));
    if fields.next().is_some() || in_query() {
        return Err(Refusal::invalid_request("the request has more than one access token"));
    }
    bearer(field).ok_or(Refusal::NO_TOKEN)
}

/// The one proof of the request. Of several it could not be said which one counts.
fn proof_of(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut fields = headers.get_all(proof::FIELD).iter();
    let field = fields.next().ok_or(Refusal::USE_SESSION_BINDING)?;
    if fields.next().is_some() {
        return Err(Refusal::invalid_proof("the request has more than one proof"));
    }
    field.to_str().map_err(|_| Refusal::invalid_proof("the proof is not ASCII text"))
}

/// Host, or what stands in its place: the authority of an absolute request target, or HTTP/2's `:authority`.
fn authority<B>(request: &Request<B>) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST)?.to_str().ok(),
    }
}

fn is_under(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
