package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	protectedPath = "/resource"
	scopeOfScoped = "tsbt.scoped"
)

// newResourceServer plays the role resource-server; it is to be started with ServeTLS.
func newResourceServer(credentials *credentials) (*http.Server, error) {
	authorities, err := readCertificates(setting("TSBT_CLIENT_CA_FILE"))
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(setting("TSBT_JWKS_FILE"))
	if err != nil {
		return nil, err
	}
	access := &authorizer{
		tokens:  &tokenValidator{issuer: setting("TSBT_ISSUER"), audience: setting("TSBT_AUDIENCE"), keys: keys},
		replays: newReplayGuard(),
	}
	return &http.Server{
		TLSConfig:         serverTLS(credentials, authorities),
		Handler:           access.protect(new(resources).serve),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withConnection,
	}, nil
}

// serverTLS says what has to be said. The rest is how crypto/tls is: its servers neither renegotiate nor take early data.
func serverTLS(credentials *credentials, authorities *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		// Tokens that are bound to nothing may come without a certificate. One that comes is verified.
		ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs:  authorities,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &credentials.current().certificate, nil
		},
	}
}

// resources is what there is to protect.
type resources struct{ count atomic.Int64 }

func (s *resources) serve(w http.ResponseWriter, r *http.Request, token *accessToken) {
	path, within := strings.CutPrefix(r.URL.Path, protectedPath)
	if !within || path != "" && path[0] != '/' {
		http.NotFound(w, r)
		return
	}
	switch {
	case path == "/counter" && r.Method == http.MethodPost:
		s.count.Add(1)
	case path == "/counter" && r.Method == http.MethodGet:
		writeJSON(w, map[string]any{"count": s.count.Load()})
		return
	case path == "/scoped" || strings.HasPrefix(path, "/scoped/"):
		if !slices.Contains(token.scopes, scopeOfScoped) {
			refused := refusal{http.StatusForbidden, "insufficient_scope", "the scope " + scopeOfScoped + " is needed"}
			refused.write(w)
			return
		}
	}
	writeJSON(w, map[string]any{"sub": token.subject})
}

func writeJSON(w http.ResponseWriter, value map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// Fails only when the client has gone.
	_ = json.NewEncoder(w).Encode(value)
}
