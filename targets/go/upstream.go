package main

import (
	"context"
	"crypto/x509"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	openingTime = 10 * time.Second // to get a connection, with waiting for it
	idleTime    = 90 * time.Second
	mostStreams = 100 // on one HTTP/2 connection, whatever the server would take
)

// upstream is the resource server, and the connections to it. They are chosen here, before a proof is made, and not in
// http.Transport, after it: a proof is for one connection (draft -06 §3.3.2 steps 1 to 3).
type upstream struct {
	origin      url.URL // scheme and authority
	authorities *x509.CertPool
	credentials *credentials
	opening     chan struct{} // holds one while a connection is being opened

	mutex       sync.Mutex
	connections []*boundConnection
}

func newUpstream(origin *url.URL, authorities *x509.CertPool, credentials *credentials) *upstream {
	return &upstream{
		origin:      url.URL{Scheme: origin.Scheme, Host: origin.Host},
		authorities: authorities,
		credentials: credentials,
		opening:     make(chan struct{}, 1),
	}
}

// take gives a connection for one request, until release: one that is open and has room, or a new one. A new one it is
// also where fresh is asked for.
func (u *upstream) take(ctx context.Context, token string, fresh bool) (*boundConnection, error) {
	if !fresh {
		if c := u.takeOpen(token); c != nil {
			return c, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, openingTime)
	defer cancel()
	// One after the other, so that requests which come at the same time share the HTTP/2 connection of the first.
	select {
	case u.opening <- struct{}{}:
		defer func() { <-u.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !fresh {
		if c := u.takeOpen(token); c != nil {
			return c, nil
		}
	}
	return u.open(ctx)
}

// takeOpen gives the connection with the fewest requests on it, or nil where none has room. After a rotation, those that
// were opened with the former certificate are for tokens that are bound to it (draft -06 Appendix C.2).
func (u *upstream) takeOpen(token string) *boundConnection {
	wanted := u.credentials.current().thumbprint
	bound, _ := readableConfirmation(token)["x5t#S256"].(string)
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if slices.ContainsFunc(u.connections, func(c *boundConnection) bool { return c.credential.thumbprint == bound }) {
		wanted = bound
	}
	var best *boundConnection
	for _, c := range u.connections {
		usable := c.credential.thumbprint == wanted && c.requests < c.room
		if usable && (best == nil || c.requests < best.requests) {
			best = c
		}
	}
	if best != nil {
		best.requests++
	}
	return best
}

func (u *upstream) open(ctx context.Context) (*boundConnection, error) {
	c, err := openConnection(ctx, u)
	if err != nil {
		return nil, err
	}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	c.requests = 1
	if !c.ended {
		u.connections = append(u.connections, c)
	}
	return c, nil
}

func (u *upstream) release(c *boundConnection) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	c.requests--
}

// releaseUnused is release for a request that could not be sent at all: the server takes no more requests at a time than
// there are, or, where there are none, no more at all (GOAWAY).
func (u *upstream) releaseUnused(c *boundConnection) {
	u.mutex.Lock()
	c.requests--
	c.room = c.requests
	useless := c.room == 0
	u.mutex.Unlock()
	if useless {
		u.retire(c)
	}
}

// retire takes a connection out of use for further requests. When it has ended as well, nothing refers to it any more,
// and exporter value and proofs are garbage with it (draft -06 Appendix B.6.1).
func (u *upstream) retire(c *boundConnection) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	c.ended = true
	u.connections = slices.DeleteFunc(u.connections, func(other *boundConnection) bool { return other == c })
}

// readableConfirmation is cnf of a token that can be read, and else nothing. Nothing is verified: it serves to choose a
// connection and to see which proofs are wanted, and says nothing about what goes into them.
func readableConfirmation(token string) map[string]any {
	parsed, err := parseJWS(token)
	if err != nil {
		return nil
	}
	confirmation, _ := parsed.claims["cnf"].(map[string]any)
	return confirmation
}
