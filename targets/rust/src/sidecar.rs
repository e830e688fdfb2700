//! The sidecar of draft -06 Appendix B: agents speak plain HTTP to it, and it sends their requests on to its resource
//! server, each with a proof for its bearer token.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::MapFrame;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, AUTHORIZATION, CONNECTION, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::access_token::bearer;
use crate::json::object;
use crate::jws::Jws;
use crate::listener::{drive, Failure, Stopping};
use crate::proof;
use crate::upstream::{Lease, Returning, Upstream};

/// What an agent must not say in the sidecar's place (Appendix B.4).
const FORGEABLE: [&str; 4] = [proof::FIELD, "tls-exporter", "client-cert", "client-cert-chain"];

/// Fields for one hop only (RFC 9110 §7.6.1), beside those that Connection names; and Expect, which is met here.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

const MOST_ATTEMPTS: usize = 3;

/// The body of an agent's request, without what must not stand in its trailer section either.
pub type AgentBody = MapFrame<Incoming, fn(Frame<Bytes>) -> Frame<Bytes>>;

type Answer = Response<Either<Returning, Full<Bytes>>>;

pub struct Sidecar {
    pub upstream: Arc<Upstream>,
    /// Whether each proof is to be for one request only.
    pub per_request: bool,
}

impl Sidecar {
    pub async fn serve(self: Arc<Self>, tcp: TcpStream, stopping: Stopping) -> Result<(), Failure> {
        tcp.set_nodelay(true)?;
        let service = service_fn(|request| async {
            let answer = self.relay(request).await.unwrap_or_else(|(status, problem)| {
                eprintln!("{}: {problem}", status.as_u16());
                refusal(status)
            });
            Ok::<_, std::convert::Infallible>(answer)
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new());
        drive(http.serve_connection(TokioIo::new(tcp), service), stopping).await
    }

    /// An error is for the log. The agent gets its status alone: a text could quote the request, and with it the proof.
    async fn relay(&self, request: Request<Incoming>) -> Result<Answer, (StatusCode, Failure)> {
        // TRACE has the server send back what it got, the proof too; a tunnel would go past this sidecar.
        if [Method::TRACE, Method::CONNECT].contains(request.method()) {
            return Err((StatusCode::NOT_IMPLEMENTED, "a method that is not relayed".into()));
        }
        // This is no forward proxy: tokens and proofs go to one server.
        if request.uri().authority().is_some_and(|authority| *authority != *self.upstream.authority) {
            return Err((StatusCode::MISDIRECTED_REQUEST, "a request for another server".into()));
        }
        let token = token_of(request.headers()).map_err(|problem| (StatusCode::BAD_REQUEST, problem.into()))?;
        let bound_to = token.as_deref().and_then(bound_to);
        let mut request = request.map(|body| body.map_frame(without_forgeable as fn(_) -> _));
        remove_forgeable(request.headers_mut());
        remove_hop_by_hop(request.headers_mut());

        let unreachable = |failure: Failure| (StatusCode::BAD_GATEWAY, failure);
        for _ in 0..MOST_ATTEMPTS {
            let mut lease = self.upstream.lease(bound_to.as_deref()).await.map_err(unreachable)?;
            // Now that it is known which connection the request goes out on, it gets the proof for that one.
            self.prepare(&mut request, token.as_deref(), &lease).map_err(unreachable)?;
            match lease.send(request).await {
                Ok(response) => return Ok(self.returned(response, token.as_deref(), lease)),
                // The connection ended before anything was sent, so that this is no repetition, whatever the method.
                Err(mut unsent) => match unsent.take_message() {
                    Some(message) => request = message,
                    None => return Err(unreachable(unsent.into_error().into())),
                },
            }
        }
        Err(unreachable("each connection ended before the request was sent".into()))
    }

    /// Addresses the request to the upstream as its connection's HTTP version has it, and adds the proof.
    fn prepare<B>(&self, request: &mut Request<B>, token: Option<&str>, lease: &Lease) -> Result<(), Failure> {
        let authority = &self.upstream.authority;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        if lease.speaks_h2() {
            request.headers_mut().remove(HOST);
            *request.uri_mut() =
                Uri::builder().scheme("https").authority(authority.as_str()).path_and_query(target).build()?;
        } else {
            request.headers_mut().insert(HOST, HeaderValue::try_from(authority)?);
            *request.uri_mut() = target.parse()?;
        }
        if let Some(token) = token {
            let proof = if self.per_request {
                let htu = format!("https://{authority}{}", request.uri().path());
                lease.link.proof_of_request(token, request.method().as_str(), &htu)?
            } else {
                lease.link.proof(token)?
            };
            request.headers_mut().insert(proof::FIELD, HeaderValue::try_from(proof)?);
        }
        Ok(())
    }

    /// A 401 goes to the agent, who may ask once more. It is not for a proxy to repeat requests.
    fn returned(&self, response: Response<Incoming>, token: Option<&str>, lease: Lease) -> Answer {
        if let (StatusCode::UNAUTHORIZED, Some(token)) = (response.status(), token) {
            lease.link.forget(token);
        }
        let mut response = response.map(|body| Either::Left(Returning::new(body, lease, self.upstream.clone())));
        remove_hop_by_hop(response.headers_mut());
        response
    }
}

/// The bearer token that the request is to be proven for. Other credentials are none of the sidecar's business.
fn token_of(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let token = fields.next().and_then(bearer).map(str::to_owned);
    match fields.next() {
        // A proof is for one token, and which one the server would take is not known.
        Some(_) => Err("more than one Authorization field"),
        None => Ok(token),
    }
}

/// The thumbprint of the certificate that a token is bound to, where it can be read. It is not believed, but only
/// decides between connections of this sidecar's own identities.
fn bound_to(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        cnf: Confirmation,
    }
    #[derive(Deserialize)]
    struct Confirmation {
        #[serde(rename = "x5t#S256")]
        thumbprint: String,
    }
    object(&Jws::parse(token)?.payload).map(|Claims { cnf }| cnf.thumbprint)
}

/// A trailer section is relayed as one, and servers may merge it with the header (RFC 9110 §6.5.1).
fn without_forgeable(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            remove_forgeable(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// Many servers take `_` in a name for `-`.
fn remove_forgeable(headers: &mut HeaderMap) {
    remove(headers, |name| FORGEABLE.contains(&name.as_str().replace('_', "-").as_str()));
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    remove(headers, |name| HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|each| each == name.as_str()));
}

fn remove(headers: &mut HeaderMap, is_unwanted: impl Fn(&HeaderName) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_unwanted(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn refusal(status: StatusCode) -> Answer {
    let mut response = Response::new(Either::Right(Full::default()));
    *response.status_mut() = status;
    response
}
