package main

import (
	"crypto"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"
)

// proofType is the typ of a proof (draft -06 §2.3.1), which tells it from all other JWTs that the key may have signed.
const proofType = "tls-binding-proof+jwt"

// The window for iat (draft -06 §3.3.2 step 5h, which sets no length). A proof is made once for a connection and used
// for a while, hence minutes for the past; the future is for clocks that differ.
const (
	oldestProof = 5 * time.Minute
	newestProof = clockSkew
)

// expectation is what a proof has to be for, to be the proof of one request.
type expectation struct {
	key        crypto.PublicKey // of the certificate of this very connection
	thumbprint string           // of that certificate
	ekm        string           // of this very connection
	ath        string           // of the token of this request
	method     string
	authority  string // of the target URI
	path       string // of the target URI, percent-encoded as it came
	now        time.Time
}

// verifiedProof is what is left to do with a proof that is right.
type verifiedProof struct {
	jti        string // empty: none; otherwise to be accepted once
	perRequest bool   // whether it has claims about its request, so that it must not be taken for another one
}

// verify checks a proof (draft -06 §3.3.2 steps 5e to 5i), but for the repetition of jti.
func (e *expectation) verify(text string) (verifiedProof, error) {
	var result verifiedProof
	proof, err := parseJWS(text)
	if err != nil {
		return result, err
	}
	if !proof.is(proofType) {
		return result, errors.New("typ is not " + proofType)
	}
	// Keys that the header brings or names (jwk, x5c, jku, x5u, kid) are not looked at (draft -06 §3.3.2 step 5e).
	if !proof.verifies(e.key) {
		return result, errors.New("the key of the client certificate does not verify the signature")
	}
	if proof.header["x5t#S256"] != e.thumbprint {
		return result, errors.New("x5t#S256 is not of the client certificate")
	}
	claims := proof.claims
	// Compared as texts: one value has one text, and nothing but a string is equal to it.
	if !same(claims["ekm"], e.ekm) {
		return result, errors.New("ekm is not of this connection")
	}
	if !same(claims["ath"], e.ath) {
		return result, errors.New("ath is not of this access token")
	}
	if err := e.timely(claims); err != nil {
		return result, err
	}
	// Each of the claims about the request is checked where it is present, alone as well (draft -06 §2.3.2.2).
	if jti, present := claims["jti"]; present {
		var ok bool
		if result.jti, ok = nonEmpty(jti); !ok {
			return result, errors.New("jti is not a text")
		}
		result.perRequest = true
	}
	if htm, present := claims["htm"]; present {
		if htm != e.method { // methods are case-sensitive (RFC 9110 §9.1)
			return result, errors.New("htm is not the method of this request")
		}
		result.perRequest = true
	}
	if htu, present := claims["htu"]; present {
		if !e.isTarget(htu) {
			return result, errors.New("htu is not the target of this request")
		}
		result.perRequest = true
	}
	return result, nil
}

// timely checks that a proof is of now. No JWT is accepted after exp or before nbf, though no proof needs them (RFC 7519 §4.1).
func (e *expectation) timely(claims map[string]any) error {
	iat, ok := numericDate(claims["iat"])
	if !ok || iat < asSeconds(e.now.Add(-oldestProof)) || iat > asSeconds(e.now.Add(newestProof)) {
		return errors.New("iat is missing or not of now")
	}
	if exp, present := claims["exp"]; present {
		if seconds, ok := numericDate(exp); !ok || seconds <= asSeconds(e.now) {
			return errors.New("exp is past")
		}
	}
	if nbf, present := claims["nbf"]; present {
		if seconds, ok := numericDate(nbf); !ok || seconds > asSeconds(e.now.Add(clockSkew)) {
			return errors.New("nbf is in the future")
		}
	}
	return nil
}

// isTarget compares htu with the target URI of the request, without query and fragment (draft -06 §2.3.2.2). The text
// of the draft has a URI there and its example a path: both are taken.
func (e *expectation) isTarget(htu any) bool {
	text, ok := nonEmpty(htu)
	if !ok {
		return false
	}
	target, err := url.Parse(text)
	if err != nil || target.User != nil || target.Opaque != "" {
		return false
	}
	if strings.HasPrefix(text, "/") {
		return target.Host == "" && target.EscapedPath() == e.path
	}
	path := target.EscapedPath()
	if path == "" {
		path = "/"
	}
	return target.Scheme == "https" && authority(target.Host) == authority(e.authority) && path == e.path
}

// authority is host and port as they compare (RFC 9110 §4.2.3).
func authority(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":443") }

func same(claim any, expected string) bool {
	text, ok := claim.(string)
	return ok && subtle.ConstantTimeCompare([]byte(text), []byte(expected)) == 1
}
