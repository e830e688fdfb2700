package main

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

func TestProofsOfAllKeysVerify(t *testing.T) {
	now, others := time.Now(), keysOfAllKinds()
	for algorithm, key := range keysOfAllKinds() {
		header := map[string]any{"typ": proofType, "x5t#S256": "certificate"}
		claims := map[string]any{"ekm": "value", "ath": "token", "iat": now.Unix()}
		text := must(signJWS(key, header, claims))
		if header["alg"] != algorithm {
			t.Errorf("%v instead of %s", header["alg"], algorithm)
		}
		expected := expectation{key: key.Public(), thumbprint: "certificate", ekm: "value", ath: "token", now: now}
		if _, err := expected.verify(text); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		for other, otherKey := range others {
			expected.key = otherKey.Public()
			if _, err := expected.verify(text); err == nil {
				t.Errorf("%s verifies with a key for %s that did not sign it", algorithm, other)
			}
		}
	}
}

func TestTargets(t *testing.T) {
	expected := expectation{authority: "api.example:443", path: "/a%2Fb"}
	for htu, matches := range map[string]bool{
		"https://api.example/a%2Fb":      true,
		"https://API.example:443/a%2Fb":  true,
		"/a%2Fb":                         true,
		"/a%2Fb?x=1":                     true,
		"/a/b":                           false,
		"//api.example/a%2Fb":            false,
		"http://api.example/a%2Fb":       false,
		"https://api.example:8443/a%2Fb": false,
		"https://me@api.example/a%2Fb":   false,
		"https:/a%2Fb":                   false,
		"":                               false,
	} {
		if expected.isTarget(htu) != matches {
			t.Errorf("%q: not %v", htu, matches)
		}
	}
}

func TestStrictJSON(t *testing.T) {
	for text, acceptable := range map[string]bool{
		`{"a":{"b":[1,"x",null]}}`:  true,
		`{"a":1,"a":1}`:             false,
		`{"a":1,"\u0061":1}`:        false,
		`{"a":{"b":1,"b":2}}`:       false,
		`{"a":1} `:                  true,
		`{"a":1}{}`:                 false,
		`{"a":1,}`:                  false,
		`{"a" 1}`:                   false,
		`["a"]`:                     false,
		"{\"a\":\"\xff\"}":          false,
		``:                          false,
		`{"a":[[[[[[[[[[[[[[[[[[[[`: false,
	} {
		if _, err := parseObject([]byte(text)); (err == nil) != acceptable {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Absent and zero-length context differ on TLS 1.2, and only there (RFC 5705 §4, RFC 8446 §7.5).
func TestExporterContext(t *testing.T) {
	for version, differ := range map[uint16]bool{tls.VersionTLS12: true, tls.VersionTLS13: false} {
		here, there := net.Pipe()
		server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{selfSigned().certificate}})
		client := tls.Client(here, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
		go server.Handshake()
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		state := client.ConnectionState()
		absent := must(state.ExportKeyingMaterial(exporterLabel, nil, 32))
		if got := must(exporterValue(state)) != encode(absent); got != differ {
			t.Errorf("%s: %v", tls.VersionName(version), got)
		}
	}
}
