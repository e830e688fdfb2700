package main

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// mostAttempts bounds how often one request of an agent is tried.
const mostAttempts = 3

// sidecar stands between agents, which it does not trust, and one resource server (draft -06 Appendix B).
type sidecar struct {
	upstream *upstream
	how      proving
}

// newSidecar plays the role client: plain HTTP from agents, mutual TLS to the resource server.
func newSidecar(credentials *credentials) (*http.Server, error) {
	origin, err := url.Parse(setting("TSBT_UPSTREAM"))
	if err != nil {
		return nil, err
	}
	if origin.Scheme != "https" {
		return nil, errors.New("TSBT_UPSTREAM is not an https URL")
	}
	authorities, err := readCertificates(setting("TSBT_SERVER_CA_FILE"))
	if err != nil {
		return nil, err
	}
	s := &sidecar{
		upstream: newUpstream(origin, authorities, credentials),
		how:      proving{perRequest: os.Getenv("TSBT_PROOF_CLAIMS") == "request"},
	}
	if file := os.Getenv("TSBT_DPOP_KEY_FILE"); file != "" {
		if s.how.dpop, err = readDPoPKey(file); err != nil {
			return nil, err
		}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       s.rewrite,
		Transport:     s,
		FlushInterval: -1, // pass on what comes when it comes
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Printf("no response to %q %q: %v", r.Method, r.URL.Path, err)
			// A fixed text: the error may quote what the agent is not to see.
			http.Error(w, "the resource server did not answer", http.StatusBadGateway)
		},
	}
	return &http.Server{Handler: refuseUnfit(proxy), ReadHeaderTimeout: 10 * time.Second}, nil
}

// refuseUnfit answers what is not to be passed on. CONNECT would open a tunnel, and a TRACE is answered with the fields of
// the request, the proof among them (RFC 9110 §9.3.8). Of two Authorization fields one could be proven and the other used.
func refuseUnfit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
			http.Error(w, "this method is not passed on", http.StatusMethodNotAllowed)
		case len(r.Header.Values("Authorization")) > 1:
			http.Error(w, "more than one Authorization field", http.StatusBadRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// rewrite turns an agent's request into one to the resource server, whatever other server it names. When it is called,
// the fields of the agent's connection are gone already, and those that its Connection field names.
func (s *sidecar) rewrite(p *httputil.ProxyRequest) {
	target := s.upstream.origin
	target.Path, target.RawPath = p.In.URL.Path, p.In.URL.RawPath
	target.RawQuery, target.ForceQuery = p.In.URL.RawQuery, p.In.URL.ForceQuery
	if target.Path == "" {
		target.Path = "/"
	}
	p.Out.URL, p.Out.Host = &target, target.Host
	conceal(p.Out.Header, nil)
	p.Out.Trailer = nil // a proof of the agent's could be in there
	// No other protocol on a connection whose proofs are for HTTP.
	p.Out.Header.Del("Upgrade")
	p.Out.Header.Del("Connection")
	if p.Out.Body != nil {
		p.Out.Body = &bodyOnce{ReadCloser: p.Out.Body}
	}
}

// RoundTrip is what the proxy has for a transport: it chooses a connection, and only then the request gets its proof.
//
// A request is tried again, on a connection of its own and with a proof for that one, when nothing of it was sent, or when
// it has no body and its method is idempotent (RFC 9110 §9.2.2). Everything else is for the agent to decide, a 401 too.
func (s *sidecar) RoundTrip(r *http.Request) (*http.Response, error) {
	_, token := credentialsOf(r.Header)
	for attempt := 1; ; attempt++ {
		c, err := s.upstream.take(r.Context(), token, attempt > 1)
		if err != nil {
			return nil, err
		}
		response, sent, err := c.attempt(r, s.how)
		if err == nil {
			response.Body = &closingBody{response.Body, func() { s.upstream.release(c) }}
			return response, nil
		}
		if sent || r.Context().Err() != nil {
			s.upstream.release(c)
		} else {
			s.upstream.releaseUnused(c)
		}
		repeatable := isUnread(r.Body) && (!sent || isIdempotent(r))
		if !repeatable || attempt == mostAttempts || r.Context().Err() != nil {
			return nil, err
		}
	}
}

func isIdempotent(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return r.Body == nil
	}
	return false
}

// bodyOnce knows whether any of an agent's body was read, and stays open for another attempt until then.
type bodyOnce struct {
	io.ReadCloser
	begun atomic.Bool
}

func (b *bodyOnce) Read(into []byte) (int, error) {
	b.begun.Store(true)
	return b.ReadCloser.Read(into)
}

func (b *bodyOnce) Close() error {
	if b.begun.Load() {
		return b.ReadCloser.Close()
	}
	return nil // the server of the agent's request closes it in the end
}

func isUnread(body io.ReadCloser) bool {
	once, ok := body.(*bodyOnce)
	return !ok || !once.begun.Load()
}

// concealed are fields that only the sidecar and the server may use, about the connection between them (draft -06 Appendix
// B.4, RFC 9440).
var concealed = map[string]bool{
	"session-binding-proof": true,
	"tls-exporter":          true,
	"client-cert":           true,
	"client-cert-chain":     true,
}

// conceal removes those fields, in whatever spelling, and any in which one of these proofs comes back. Many servers take _
// for - in the name of a field.
func conceal(fields http.Header, proofs []string) {
	for name, values := range fields {
		hidden := concealed[strings.ToLower(strings.ReplaceAll(name, "_", "-"))]
		for _, proof := range proofs {
			hidden = hidden || strings.Contains(strings.Join(values, " "), proof)
		}
		if hidden {
			delete(fields, name)
		}
	}
}
