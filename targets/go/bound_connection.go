package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// proofLifetime is how long a proof is used: well within any window that a server may have for iat.
	proofLifetime = time.Minute
	mostProofs    = 1000 // on one connection
)

var (
	errNotAsked = errors.New("the server asked for no client certificate")
	errHandedOn = errors.New("the connection was handed to its transport before")
)

// boundConnection is one TLS connection with all that belongs to it: the credential that was presented on it, its exporter
// value, the proofs that were made for it, and an HTTP transport that has this connection and can have no other.
type boundConnection struct {
	tls        *tls.Conn
	credential *credential
	ekm        string
	transport  http.RoundTripper

	// Guarded by the mutex of the upstream.
	requests, room int
	ended          bool

	mutex  sync.Mutex
	proofs map[string]madeProof // by ath
}

type madeProof struct {
	text string
	at   time.Time
}

// openConnection opens a connection over which tokens may go: both ends authenticated, and an exporter value.
func openConnection(ctx context.Context, u *upstream) (*boundConnection, error) {
	c := &boundConnection{credential: u.credentials.current(), proofs: map[string]madeProof{}}
	address := u.origin.Host
	if u.origin.Port() == "" {
		address = net.JoinHostPort(u.origin.Hostname(), "443")
	}
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	asked := false
	c.tls = tls.Client(&watchedSocket{socket, func() { u.retire(c) }}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: u.origin.Hostname(),
		RootCAs:    u.authorities,
		NextProtos: []string{"h2", "http/1.1"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &c.credential.certificate, nil
		},
		// No ClientSessionCache: on a resumed connection it could not be told which certificate the server has in mind.
		// Renegotiation and early data are things that crypto/tls does not do for a client either.
	})
	if err := c.prepare(ctx, u.origin.Host, &asked); err != nil {
		c.tls.Close()
		return nil, err
	}
	return c, nil
}

func (c *boundConnection) prepare(ctx context.Context, authority string, asked *bool) error {
	if err := c.tls.HandshakeContext(ctx); err != nil {
		return err
	}
	if !*asked {
		return errNotAsked // draft -06 §3.3.2 step 1
	}
	state := c.tls.ConnectionState()
	var err error
	if c.ekm, err = exporterValue(state); err != nil {
		return err // TLS 1.2 without the extended master secret
	}
	if state.NegotiatedProtocol == "h2" {
		c.room = mostStreams
		c.transport, err = transport2(c.tls, authority)
		return err
	}
	c.room = 1
	c.transport = transport1(c.tls)
	return nil
}

// transport1 speaks HTTP/1.1 on this connection. When it would dial another one, as http.Transport does to repeat a
// request whose connection has ended, it gets an error.
func transport1(connection *tls.Conn) http.RoundTripper {
	var handedOn atomic.Bool
	return &http.Transport{
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			if handedOn.Swap(true) {
				return nil, errHandedOn
			}
			return connection, nil
		},
		DisableCompression: true, // what the agent does not ask for is not asked for
		IdleConnTimeout:    idleTime,
	}
}

// transport2 speaks HTTP/2 on this connection. The HTTP/2 of net/http has no name of its own: it is what an
// http.Transport has under "h2" for connections whose ALPN says so. What comes from there cannot dial at all.
func transport2(connection *tls.Conn, authority string) (http.RoundTripper, error) {
	host := &http.Transport{ForceAttemptHTTP2: true, DisableCompression: true, IdleConnTimeout: idleTime}
	host.CloseIdleConnections() // there are none; the first call of any method sets HTTP/2 up
	upgrade, known := host.TLSNextProto["h2"]
	if !known {
		return nil, errors.New("net/http has no HTTP/2")
	}
	return upgrade(authority, connection), nil
}

// proving is how requests are proven: with claims of the request in each proof, and with a DPoP key.
type proving struct {
	perRequest bool
	dpop       *dpopKey
}

// attempt sends a request once, with the proofs that its token needs. It also tells whether anything was sent.
func (c *boundConnection) attempt(r *http.Request, how proving) (response *http.Response, wasSent bool, err error) {
	ctx, cancel := context.WithCancel(r.Context())
	var taken atomic.Int32
	var sent atomic.Bool
	var proofs []string
	trace := &httptrace.ClientTrace{
		// HTTP/2 sends a request again by itself when its stream was refused, with the same fields: a proof with jti would
		// come twice. Each attempt takes the connection; the second one finds its context ended before it sends anything.
		GotConn: func(got httptrace.GotConnInfo) {
			if taken.Add(1) > 1 || got.Conn != net.Conn(c.tls) {
				cancel()
			}
		},
		WroteHeaderField: func(string, []string) { sent.Store(true) },
		Got1xxResponse: func(_ int, fields textproto.MIMEHeader) error {
			conceal(http.Header(fields), proofs)
			return nil
		},
	}
	out := r.Clone(httptrace.WithClientTrace(ctx, trace))
	if proofs, err = c.prove(out, how); err == nil {
		response, err = c.transport.RoundTrip(out)
	}
	if err != nil {
		cancel()
		return nil, sent.Load(), err
	}
	if response.StatusCode == http.StatusUnauthorized {
		_, token := credentialsOf(r.Header)
		c.forgetProof(token) // whatever was wrong: the next one is made anew (draft -06 §3.5)
	}
	how.dpop.noteNonce(response)
	conceal(response.Header, proofs)
	response.Body = &closingBody{response.Body, cancel}
	return response, true, nil
}

// prove adds the proofs to a request, and gives them. A token that cannot be read may be session-bound, and a proof beside one
// that is not does no harm (draft -06 §3.1 step 4): every token is proven.
func (c *boundConnection) prove(r *http.Request, how proving) ([]string, error) {
	scheme, token := credentialsOf(r.Header)
	if scheme != "bearer" && scheme != "dpop" {
		return nil, nil
	}
	proof, err := c.proof(token, r, how.perRequest)
	if err != nil {
		return nil, err
	}
	r.Header.Set(proofField, proof)
	if !how.dpop.isFor(scheme, token) {
		return []string{proof}, nil
	}
	second, err := how.dpop.proof(token, r)
	if err != nil {
		return nil, err
	}
	r.Header.Set(dpopField, second)
	return []string{proof, second}, nil
}

// proof is what binds a token to this connection, and with perRequest to this request as well (draft -06 §2.3).
func (c *boundConnection) proof(token string, r *http.Request, perRequest bool) (string, error) {
	ath, now := tokenHash(token), time.Now()
	header := map[string]any{"typ": proofType, "x5t#S256": c.credential.thumbprint}
	claims := map[string]any{"ath": ath, "ekm": c.ekm, "iat": now.Unix()}
	if perRequest {
		claims["jti"] = newIdentifier()
		claims["htm"] = r.Method
		claims["htu"] = targetOf(r)
		return signJWS(c.credential.key, header, claims)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if made, found := c.proofs[ath]; found && now.Sub(made.at) < proofLifetime {
		return made.text, nil
	}
	text, err := signJWS(c.credential.key, header, claims)
	if err != nil {
		return "", err
	}
	if len(c.proofs) >= mostProofs {
		clear(c.proofs)
	}
	c.proofs[ath] = madeProof{text, now}
	return text, nil
}

// newIdentifier is a jti that nothing else has.
func newIdentifier() string {
	var octets [16]byte
	rand.Read(octets[:]) // never fails
	return encode(octets[:])
}

// targetOf is htu of a request: its target URI without query and fragment, the path as it is sent.
func targetOf(r *http.Request) string {
	return r.URL.Scheme + "://" + r.URL.Host + r.URL.EscapedPath()
}

func (c *boundConnection) forgetProof(token string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.proofs, tokenHash(token))
}

// watchedSocket tells when the connection on it has ended, however that came.
type watchedSocket struct {
	net.Conn
	ended func()
}

func (s *watchedSocket) Close() error {
	defer s.ended()
	return s.Conn.Close()
}

// closingBody does something when the response is over.
type closingBody struct {
	io.ReadCloser
	closed func()
}

func (b *closingBody) Close() error {
	defer b.closed()
	return b.ReadCloser.Close()
}
