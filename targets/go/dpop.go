package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// dpopField carries a DPoP proof (RFC 9449 §4).
const dpopField = "DPoP"

// verifyDPoP checks a DPoP proof (RFC 9449 §4.3) by the key with this thumbprint (cnf.jkt), but for the repetition of jti.
// Unlike a session-binding proof it brings its key along, and always belongs to one request.
func (e *expectation) verifyDPoP(text, jkt string) (jti string, err error) {
	proof, err := parseJWS(text)
	if err != nil {
		return "", err
	}
	if !proof.is("dpop+jwt") {
		return "", errors.New("typ is not dpop+jwt")
	}
	jwk, _ := proof.header["jwk"].(map[string]any)
	if _, private := jwk["d"]; private {
		return "", errors.New("jwk is a private key")
	}
	key, err := publicKey(jwk)
	if err != nil {
		return "", errors.New("jwk is not a supported public key")
	}
	if keyThumbprint(jwk) != jkt {
		return "", errors.New("jwk is not the key that the access token is bound to")
	}
	if !proof.verifies(key) {
		return "", errors.New("jwk does not verify the signature")
	}
	claims := proof.claims
	if !same(claims["ath"], e.ath) {
		return "", errors.New("ath is not of this access token")
	}
	if claims["htm"] != e.method {
		return "", errors.New("htm is not the method of this request")
	}
	if htu, ok := claims["htu"].(string); !ok || strings.HasPrefix(htu, "/") || !e.isTarget(htu) {
		return "", errors.New("htu is not the target of this request")
	}
	if err := e.timely(claims); err != nil {
		return "", err
	}
	jti, ok := nonEmpty(claims["jti"])
	if !ok {
		return "", errors.New("no jti")
	}
	return jti, nil
}

// thumbprintMembers are those that a JWK thumbprint is over, by kty (RFC 7638 §3.2, RFC 8037 §2).
var thumbprintMembers = map[string][]string{
	"EC":  {"crv", "kty", "x", "y"},
	"RSA": {"e", "kty", "n"},
	"OKP": {"crv", "kty", "x"},
}

// keyThumbprint is over the members in alphabetical order and without spaces, as json.Marshal writes a map.
func keyThumbprint(jwk map[string]any) string {
	members := map[string]any{}
	kty, _ := jwk["kty"].(string)
	for _, name := range thumbprintMembers[kty] {
		members[name] = jwk[name]
	}
	text, err := json.Marshal(members)
	if err != nil {
		return ""
	}
	return hash(text)
}

// dpopKey makes the DPoP proofs of a client; nil where it has no key for them.
type dpopKey struct {
	key        *ecdsa.PrivateKey
	jwk        map[string]any
	thumbprint string
	nonce      atomic.Value // what the server gave last (RFC 9449 §9)
}

func readDPoPKey(file string) (*dpopKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: not PEM", file)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s: not a P-256 key", file)
	}
	coordinate := make([]byte, 32)
	jwk := map[string]any{
		"kty": "EC",
		"crv": "P-256",
		"x":   encode(key.X.FillBytes(coordinate)),
		"y":   encode(key.Y.FillBytes(coordinate)),
	}
	return &dpopKey{key: key, jwk: jwk, thumbprint: keyThumbprint(jwk)}, nil
}

// isFor tells whether a token needs a proof by this key: it comes under the scheme DPoP, or can be read and names the key.
func (k *dpopKey) isFor(scheme, token string) bool {
	return k != nil && (scheme == "dpop" || readableConfirmation(token)["jkt"] == k.thumbprint)
}

// proof is a DPoP proof for one request (RFC 9449 §4.2).
func (k *dpopKey) proof(token string, r *http.Request) (string, error) {
	header := map[string]any{"typ": "dpop+jwt", "jwk": k.jwk}
	claims := map[string]any{
		"jti": newIdentifier(),
		"htm": r.Method,
		"htu": targetOf(r),
		"iat": time.Now().Unix(),
		"ath": tokenHash(token),
	}
	if nonce := k.nonce.Load(); nonce != nil {
		claims["nonce"] = nonce
	}
	return signJWS(k.key, header, claims)
}

func (k *dpopKey) noteNonce(response *http.Response) {
	if nonce := response.Header.Get("DPoP-Nonce"); k != nil && nonce != "" {
		k.nonce.Store(nonce)
	}
}
