package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // registers the hashes that are used through crypto.Hash
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// leastRSABits is the smallest RSA key (RFC 7518 §3.3, §3.5).
const leastRSABits = 2048

// jws is a JWS in compact serialization (RFC 7515 §7.1) whose payload is a JSON object. No other form is read.
type jws struct {
	algorithm string
	header    map[string]any
	claims    map[string]any
	signed    []byte // header and payload as received (RFC 7515 §5.2)
	signature []byte
}

func parseJWS(compact string) (*jws, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a JWS of three parts")
	}
	var octets [3][]byte
	for i, part := range parts {
		var err error
		if octets[i], err = decode(part); err != nil {
			return nil, errors.New("a part is not base64url")
		}
	}
	header, err := parseObject(octets[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	// No extension is understood here, so that each one that must be understood ends it (RFC 7515 §4.1.11, RFC 7797).
	for _, name := range []string{"crit", "b64"} {
		if _, present := header[name]; present {
			return nil, fmt.Errorf("the header parameter %s is not supported", name)
		}
	}
	algorithm, ok := header["alg"].(string)
	if !ok {
		return nil, errors.New("no alg")
	}
	claims, err := parseObject(octets[1])
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	return &jws{
		algorithm: algorithm,
		header:    header,
		claims:    claims,
		signed:    []byte(parts[0] + "." + parts[1]),
		signature: octets[2],
	}, nil
}

// is tells whether typ is this media type; "application/" may be left out, and case does not matter (RFC 7515 §4.1.9).
func (j *jws) is(mediaType string) bool {
	typ, ok := j.header["typ"].(string)
	typ = strings.ToLower(typ)
	return ok && (typ == mediaType || typ == "application/"+mediaType)
}

// verifies tells whether the signature was made with the private half of key. The kind of key decides which algorithms
// there are to choose from, so that neither "none" nor a MAC over a public key can be asked for (RFC 8725 §3.1).
func (j *jws) verifies(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		name, hash := ecdsaAlgorithm(key.Curve)
		size := (key.Curve.Params().BitSize + 7) / 8
		if j.algorithm != name || len(j.signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(j.signature[:size]), new(big.Int).SetBytes(j.signature[size:])
		return ecdsa.Verify(key, digest(hash, j.signed), r, s)
	case *rsa.PublicKey:
		scheme, known := rsaSchemes[j.algorithm]
		if !known || key.N.BitLen() < leastRSABits {
			return false
		}
		hashed := digest(scheme.hash, j.signed)
		if !scheme.pss {
			return rsa.VerifyPKCS1v15(key, scheme.hash, hashed, j.signature) == nil
		}
		return rsa.VerifyPSS(key, scheme.hash, hashed, j.signature, &saltAsLongAsHash) == nil
	case ed25519.PublicKey: // RFC 8037, RFC 9864
		known := j.algorithm == "EdDSA" || j.algorithm == "Ed25519"
		return known && ed25519.Verify(key, j.signed, j.signature)
	}
	return false
}

var rsaSchemes = map[string]struct {
	hash crypto.Hash
	pss  bool
}{
	"RS256": {crypto.SHA256, false}, "RS384": {crypto.SHA384, false}, "RS512": {crypto.SHA512, false},
	"PS256": {crypto.SHA256, true}, "PS384": {crypto.SHA384, true}, "PS512": {crypto.SHA512, true},
}

// saltAsLongAsHash is how JWS uses RSASSA-PSS (RFC 7518 §3.5).
var saltAsLongAsHash = rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}

// ecdsaAlgorithm is the one algorithm for a curve (RFC 7518 §3.4).
func ecdsaAlgorithm(curve elliptic.Curve) (string, crypto.Hash) {
	switch curve {
	case elliptic.P256():
		return "ES256", crypto.SHA256
	case elliptic.P384():
		return "ES384", crypto.SHA384
	case elliptic.P521():
		return "ES512", crypto.SHA512
	}
	return "", 0
}

// signJWS signs with whatever algorithm is natural for the key.
func signJWS(key crypto.Signer, header, claims map[string]any) (string, error) {
	var sign func(input []byte) ([]byte, error)
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		name, hash := ecdsaAlgorithm(public.Curve)
		if name == "" {
			return "", errors.New("no JWS algorithm for this curve")
		}
		header["alg"] = name
		sign = func(input []byte) ([]byte, error) {
			der, err := key.Sign(rand.Reader, digest(hash, input), hash)
			if err != nil {
				return nil, err
			}
			return fixedLength(der, (public.Curve.Params().BitSize+7)/8)
		}
	case *rsa.PublicKey: // PS256 rather than RS256, as in TLS 1.3 itself
		header["alg"] = "PS256"
		sign = func(input []byte) ([]byte, error) {
			options := saltAsLongAsHash
			options.Hash = crypto.SHA256
			return key.Sign(rand.Reader, digest(crypto.SHA256, input), &options)
		}
	case ed25519.PublicKey:
		header["alg"] = "EdDSA"
		sign = func(input []byte) ([]byte, error) { return key.Sign(rand.Reader, input, crypto.Hash(0)) }
	default:
		return "", fmt.Errorf("no JWS algorithm for %T", public)
	}
	input, err := signingInput(header, claims)
	if err != nil {
		return "", err
	}
	signature, err := sign([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

func signingInput(header, claims map[string]any) (string, error) {
	first, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	second, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return encode(first) + "." + encode(second), nil
}

// fixedLength turns the DER of crypto.Signer into r and s side by side (RFC 7518 §3.4).
func fixedLength(der []byte, size int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	signature := make([]byte, 2*size)
	pair.R.FillBytes(signature[:size])
	pair.S.FillBytes(signature[size:])
	return signature, nil
}

func digest(hash crypto.Hash, input []byte) []byte {
	h := hash.New()
	h.Write(input)
	return h.Sum(nil)
}
