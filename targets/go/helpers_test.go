package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"
)

// must is for what cannot go wrong in a test.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func keysOfAllKinds() map[string]crypto.Signer {
	_, ed25519Key, _ := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"ES256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ES384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"ES512": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"PS256": must(rsa.GenerateKey(rand.Reader, leastRSABits)),
		"EdDSA": ed25519Key,
	}
}

// selfSigned is a credential for localhost, as a server and as a client.
func selfSigned() *credential {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &credential{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, key, thumbprint(der)}
}

// tlsServer listens with these protocols, and gives the upstream that a client has of it.
func tlsServer(t *testing.T, protocol string) (net.Listener, *upstream) {
	server, client := selfSigned(), selfSigned()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { listener.Close() })
	authorities := x509.NewCertPool()
	authorities.AddCert(must(x509.ParseCertificate(server.certificate.Certificate[0])))
	own := &credentials{}
	own.latest.Store(client)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	origin := must(url.Parse("https://localhost:" + port))
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{server.certificate},
		ClientAuth:   tls.RequireAnyClientCert,
		NextProtos:   []string{protocol},
	}), newUpstream(origin, authorities, own)
}

func mustOpen(t *testing.T, u *upstream) *boundConnection {
	c, err := openConnection(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
