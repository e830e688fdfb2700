package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strings"
)

// exporterLabel is the only label that this implementation knows (draft -06 §2.2).
const exporterLabel = "EXPORTER-oauth-tls-session-bound"

// proofField carries the proof (draft -06 §3.3.2 step 4).
const proofField = "Session-Binding-Proof"

// exporterValue is the claim ekm for a connection: 32 octets, exported with an empty context (draft -06 §2.2).
//
// The context is []byte{} and not nil: on TLS 1.2 nil means "no context", which derives other octets than a context of
// length zero (RFC 5705 §4). On TLS 1.3 both are the same.
//
// crypto/tls refuses the export on TLS 1.2 without the extended master secret, where a value could be made to appear on
// two connections (RFC 7627 §5.4), and on connections that may renegotiate.
func exporterValue(state tls.ConnectionState) (string, error) {
	octets, err := state.ExportKeyingMaterial(exporterLabel, []byte{}, 32)
	if err != nil {
		return "", err
	}
	return encode(octets), nil
}

// thumbprint is x5t#S256 (RFC 8705 §3.1): over the whole certificate, so that a new one for the same key has another.
func thumbprint(certificate []byte) string { return hash(certificate) }

// tokenHash is the claim ath (draft -06 §2.3.2.1): over the token as it was presented.
func tokenHash(token string) string { return hash([]byte(token)) }

func hash(octets []byte) string {
	digest := sha256.Sum256(octets)
	return encode(digest[:])
}

func encode(octets []byte) string { return base64.RawURLEncoding.EncodeToString(octets) }

// decode is strict: encoding/base64 skips line breaks, and without Strict ignores the unused bits at the end, so that
// two texts would stand for the same octets.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("line break in base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
