package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"
)

// clockSkew is by how much the clocks of issuer, client and resource server may differ.
const clockSkew = 30 * time.Second

// accessToken is what a valid access token says.
type accessToken struct {
	subject    string
	scopes     []string
	expires    time.Time
	hash       string // ath
	thumbprint string // cnf.x5t#S256; empty: bound to no certificate
	bound      bool   // cnf.tls_exp: each request needs a proof
	jkt        string // cnf.jkt; empty: bound to no DPoP key
}

// tokenValidator checks JWT access tokens (RFC 9068 §4).
type tokenValidator struct {
	issuer, audience string
	keys             []issuerKey
}

// validate checks all of a token that does not concern the connection it came on.
func (v *tokenValidator) validate(compact string, now time.Time) (*accessToken, error) {
	token, err := parseJWS(compact)
	if err != nil {
		return nil, err
	}
	if !token.is("at+jwt") {
		return nil, errors.New("typ is not at+jwt")
	}
	if !v.signed(token) {
		return nil, errors.New("no key of the issuer verifies the signature")
	}
	claims := token.claims
	if claims["iss"] != v.issuer {
		return nil, errors.New("another issuer")
	}
	if !names(claims["aud"], v.audience) {
		return nil, errors.New("another audience")
	}
	expires, ok := numericDate(claims["exp"])
	if !ok {
		return nil, errors.New("no expiry")
	}
	// No leeway here: a token is not to be used "on or after" this time (RFC 7519 §4.1.4).
	if asSeconds(now) >= expires {
		return nil, errors.New("expired")
	}
	if begins, present := claims["nbf"]; present {
		if seconds, ok := numericDate(begins); !ok || seconds > asSeconds(now.Add(clockSkew)) {
			return nil, errors.New("not valid yet")
		}
	}
	subject, ok := nonEmpty(claims["sub"])
	if !ok {
		return nil, errors.New("no subject")
	}
	scope, _ := claims["scope"].(string)
	result := &accessToken{
		subject: subject,
		scopes:  strings.Fields(scope),
		expires: asTime(expires),
		hash:    tokenHash(compact),
	}
	return result, result.confirm(claims)
}

// confirm reads cnf. What is there and cannot be used ends it: taking the token for one without that binding would let
// whoever mangles cnf switch the binding off (draft -06 §2.4).
func (t *accessToken) confirm(claims map[string]any) error {
	member, present := claims["cnf"]
	if !present {
		return nil
	}
	confirmation, ok := member.(map[string]any)
	if !ok {
		return errors.New("cnf is not an object")
	}
	if member, present := confirmation["x5t#S256"]; present {
		if t.thumbprint, ok = nonEmpty(member); !ok {
			return errors.New("cnf.x5t#S256 is not a thumbprint")
		}
	}
	if member, present := confirmation["jkt"]; present {
		if t.jkt, ok = nonEmpty(member); !ok {
			return errors.New("cnf.jkt is not a thumbprint")
		}
	}
	if member, present := confirmation["tls_exp"]; present {
		if member != exporterLabel {
			return errors.New("cnf.tls_exp is not the registered exporter label")
		}
		if t.bound = true; t.thumbprint == "" {
			return errors.New("cnf.tls_exp without cnf.x5t#S256")
		}
	}
	return nil
}

// names tells whether aud is, or contains, this audience (RFC 7519 §4.1.3).
func names(aud any, audience string) bool {
	if list, ok := aud.([]any); ok {
		return slices.Contains(list, any(audience))
	}
	return aud == audience
}

func asSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// asTime is capped, as not every number is a time.
func asTime(seconds float64) time.Time { return time.Unix(int64(min(seconds, 1<<40)), 0) }

// issuerKey is a signature key of the authorization server.
type issuerKey struct {
	id, algorithm string // empty: not restricted
	public        crypto.PublicKey
}

// signed tells whether a key of the issuer verifies the token: the one that kid names, or any where kid is absent.
// Where the token itself brings or names a key (jwk, x5c, jku) it is not looked at.
func (v *tokenValidator) signed(token *jws) bool {
	wanted, named := token.header["kid"]
	return slices.ContainsFunc(v.keys, func(key issuerKey) bool {
		if named && wanted != key.id || key.algorithm != "" && key.algorithm != token.algorithm {
			return false
		}
		return token.verifies(key.public)
	})
}

// readKeys reads a JWK Set (RFC 7517 §5). Keys of unknown kinds, and those that are not for signatures, are left out.
func readKeys(file string) ([]issuerKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set, err := parseObject(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	members, _ := set["keys"].([]any)
	var keys []issuerKey
	for _, member := range members {
		jwk, _ := member.(map[string]any)
		if use, present := jwk["use"]; present && use != "sig" {
			continue
		}
		if public, err := publicKey(jwk); err == nil {
			id, _ := jwk["kid"].(string)
			algorithm, _ := jwk["alg"].(string)
			keys = append(keys, issuerKey{id, algorithm, public})
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no usable key", file)
	}
	return keys, nil
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// publicKey reads one JWK (RFC 7518 §6, RFC 8037 §2).
func publicKey(jwk map[string]any) (crypto.PublicKey, error) {
	var failed error
	octets := func(name string) []byte {
		text, _ := jwk[name].(string)
		value, err := decode(text)
		if err != nil || len(value) == 0 {
			failed = fmt.Errorf("member %s is missing or malformed", name)
		}
		return value
	}
	integer := func(name string) *big.Int { return new(big.Int).SetBytes(octets(name)) }
	switch kty := jwk["kty"]; kty {
	case "EC":
		name, _ := jwk["crv"].(string)
		curve, known := curves[name]
		if !known {
			return nil, errors.New("unknown curve")
		}
		key := &ecdsa.PublicKey{Curve: curve, X: integer("x"), Y: integer("y")}
		if failed == nil {
			_, failed = key.ECDH() // refuses a point that is not on the curve
		}
		return key, failed
	case "RSA":
		key := &rsa.PublicKey{N: integer("n")}
		exponent := integer("e")
		if !exponent.IsInt64() || exponent.Int64() > 1<<31-1 {
			return nil, errors.New("exponent too large")
		}
		key.E = int(exponent.Int64())
		return key, failed
	case "OKP":
		key := ed25519.PublicKey(octets("x"))
		if failed == nil && (jwk["crv"] != "Ed25519" || len(key) != ed25519.PublicKeySize) {
			failed = errors.New("not an Ed25519 key")
		}
		return key, failed
	default:
		return nil, fmt.Errorf("unknown kty %v", kty)
	}
}
