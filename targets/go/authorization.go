package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// refusal is why a request is not served. The reason is a fixed text, without quotes: it goes into a challenge.
type refusal struct {
	status       int
	code, reason string // no code: the request has no token (RFC 6750 §3.1)
}

func invalidToken(reason string) *refusal {
	return &refusal{http.StatusUnauthorized, "invalid_token", reason}
}

func invalidProof(reason string) *refusal {
	return &refusal{http.StatusUnauthorized, "invalid_proof", reason}
}

func invalidDPoP(reason string) *refusal {
	return &refusal{http.StatusUnauthorized, "invalid_dpop_proof", reason}
}

// write answers with the challenge of RFC 6750 §3 and draft -06 §3.5, or RFC 9449 §7.1, and nothing that was sent or expected.
func (f *refusal) write(w http.ResponseWriter) {
	challenge := `Bearer realm="resource"`
	if f.code == "invalid_dpop_proof" {
		challenge = `DPoP algs="ES256 ES384 ES512 PS256 EdDSA"`
	}
	if f.code != "" {
		challenge += fmt.Sprintf(`, error="%s", error_description="%s"`, f.code, f.reason)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, f.reason, f.status)
}

// authorizer decides about requests (draft -06 §3.3.2).
type authorizer struct {
	tokens  *tokenValidator
	replays *replayGuard
}

// protect has every request decided upon before next sees it, whatever its method and path.
func (a *authorizer) protect(next func(http.ResponseWriter, *http.Request, *accessToken)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, refused := a.decide(r, time.Now())
		if refused != nil {
			log.Printf("refused %q %q: %s: %s", r.Method, r.URL.Path, refused.code, refused.reason)
			refused.write(w)
			return
		}
		next(w, r, token)
	})
}

func (a *authorizer) decide(r *http.Request, now time.Time) (*accessToken, *refusal) {
	scheme, compact, refused := presentedToken(r.Header)
	if refused != nil {
		return nil, refused
	}
	// On each request anew, also when the proof was verified before: the token may have expired since (step 5b).
	token, err := a.tokens.validate(compact, now)
	if err != nil {
		return nil, invalidToken("the access token is not acceptable: " + err.Error())
	}
	// Every binding that the token names is enforced; how it is presented does not choose among them.
	expected := expectation{
		ath:       token.hash,
		method:    r.Method,
		authority: r.Host,
		path:      r.URL.EscapedPath(),
		now:       now,
	}
	if token.thumbprint != "" {
		refused = decideCertificate(r, token, now)
	}
	if refused == nil && token.bound {
		refused = a.decideProof(r, expected, token)
	}
	if refused == nil {
		refused = a.decideDPoP(r, scheme, expected, token)
	}
	return token, refused
}

// decideCertificate compares the token's certificate with that of the handshake (RFC 8705 §3, draft -06 §3.3.2 step 5c):
// crypto/tls has verified it, and on a resumed connection it is that of the session. No field is looked at.
func decideCertificate(r *http.Request, token *accessToken, now time.Time) *refusal {
	if len(r.TLS.PeerCertificates) == 0 {
		return invalidToken("the access token is bound to a certificate and none was presented")
	}
	certificate := r.TLS.PeerCertificates[0]
	if now.After(certificate.NotAfter) {
		return invalidToken("the client certificate has expired")
	}
	if thumbprint(certificate.Raw) != token.thumbprint {
		return invalidToken("the access token is bound to another certificate")
	}
	return nil
}

// decideProof demands a proof on each request, also where one was verified before (draft -06 §2.4, §3.3.2 step 5d).
func (a *authorizer) decideProof(r *http.Request, expected expectation, token *accessToken) *refusal {
	proofs := r.Header.Values(proofField)
	if len(proofs) == 0 {
		return &refusal{http.StatusUnauthorized, "use_session_binding", "the access token needs a session binding proof"}
	}
	if len(proofs) > 1 {
		return invalidProof("more than one proof")
	}
	verified := &connectionOf(r).verified
	if verified.has(token.hash, proofs[0]) {
		return nil
	}
	var err error
	if expected.ekm, err = exporterValue(*r.TLS); err != nil {
		return invalidProof("this connection has no exporter value that could be relied on")
	}
	expected.key = r.TLS.PeerCertificates[0].PublicKey
	expected.thumbprint = token.thumbprint
	proof, err := expected.verify(proofs[0])
	if err != nil {
		return invalidProof("the proof is not acceptable: " + err.Error())
	}
	if proof.jti != "" && !a.replays.first(proofField, proof.jti, token, expected.now) {
		return invalidProof("a proof with this jti was accepted before")
	}
	if !proof.perRequest {
		verified.add(token.hash, proofs[0])
	}
	return nil
}

// decideDPoP demands a DPoP proof for a token that is bound to a DPoP key. Such a token comes under the scheme DPoP (RFC 9449
// §7.1); if it is session-bound as well, Bearer will do too, which the draft has for all tokens (draft -06 §4.2).
func (a *authorizer) decideDPoP(r *http.Request, scheme string, expected expectation, token *accessToken) *refusal {
	if token.jkt == "" {
		if scheme == "dpop" {
			return invalidToken("the access token is not bound to a DPoP key")
		}
		return nil
	}
	if scheme != "dpop" && !token.bound {
		return invalidToken("an access token that is bound to a DPoP key needs the scheme DPoP")
	}
	proofs := r.Header.Values(dpopField)
	if len(proofs) != 1 {
		return invalidDPoP("exactly one DPoP proof is needed")
	}
	jti, err := expected.verifyDPoP(proofs[0], token.jkt)
	if err != nil {
		return invalidDPoP("the DPoP proof is not acceptable: " + err.Error())
	}
	if !a.replays.first(dpopField, jti, token, expected.now) {
		return invalidDPoP("a DPoP proof with this jti was accepted before")
	}
	return nil
}

// presentedToken is the token of the Authorization field; no other place is looked at (RFC 6750 §2.1).
func presentedToken(fields http.Header) (scheme, token string, refused *refusal) {
	if len(fields.Values("Authorization")) > 1 {
		refused = &refusal{http.StatusBadRequest, "invalid_request", "more than one Authorization field"}
		return "", "", refused
	}
	scheme, token = credentialsOf(fields)
	if scheme != "bearer" && scheme != "dpop" {
		return "", "", &refusal{http.StatusUnauthorized, "", "an access token is needed"}
	}
	return scheme, token, nil
}

// credentialsOf reads the first Authorization field: the scheme, in lower case, and what stands behind it.
func credentialsOf(fields http.Header) (scheme, value string) {
	scheme, value, _ = strings.Cut(fields.Get("Authorization"), " ")
	return strings.ToLower(scheme), strings.Trim(value, " ")
}

// connection is what is known of one TLS connection. It is found by no key that a later connection could have too: it
// hangs on the context of the connection, and is garbage with it.
type connection struct{ verified verifiedBindings }

type connectionKey struct{}

// withConnection is the ConnContext of the server: the context of a connection is that of all its requests, those on
// HTTP/2 streams too.
func withConnection(ctx context.Context, _ net.Conn) context.Context {
	known := &connection{verifiedBindings{proofs: map[string][sha256.Size]byte{}}}
	return context.WithValue(ctx, connectionKey{}, known)
}

func connectionOf(r *http.Request) *connection {
	return r.Context().Value(connectionKey{}).(*connection)
}

// mostBindings is how many tokens a connection keeps; more of them cost another verification.
const mostBindings = 1000

// verifiedBindings are the proofs that were verified on one connection, by token (draft -06 §3.3.2). A hit is the same
// proof octet for octet: it saves the signature, and lets a proof grow old on its connection, but serves nothing that
// was not verified. Proofs with claims about one request never get here.
type verifiedBindings struct {
	mutex  sync.Mutex
	proofs map[string][sha256.Size]byte
}

func (v *verifiedBindings) has(tokenHash, proof string) bool {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	known, found := v.proofs[tokenHash]
	return found && known == sha256.Sum256([]byte(proof))
}

func (v *verifiedBindings) add(tokenHash, proof string) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if len(v.proofs) >= mostBindings {
		clear(v.proofs)
	}
	v.proofs[tokenHash] = sha256.Sum256([]byte(proof))
}
