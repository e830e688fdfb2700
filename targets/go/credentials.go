package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
)

// credential is a certificate with its key, and never a part of another one: what is presented in a handshake, the key
// that signs proofs and the thumbprint they name always belong together, also when files are replaced meanwhile.
type credential struct {
	certificate tls.Certificate
	key         crypto.Signer
	thumbprint  string
}

// credentials reads a credential from its files, now and on every reload.
type credentials struct {
	certificateFile, keyFile string
	latest                   atomic.Pointer[credential]
}

func readCredentials(certificateFile, keyFile string) (*credentials, error) {
	c := &credentials{certificateFile: certificateFile, keyFile: keyFile}
	return c, c.reload()
}

func (c *credentials) current() *credential { return c.latest.Load() }

// reload keeps the credential that there is when certificate and key do not fit, as while one of them is written.
func (c *credentials) reload() error {
	pair, err := tls.LoadX509KeyPair(c.certificateFile, c.keyFile)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return fmt.Errorf("%s: not a key that signs", c.keyFile)
	}
	c.latest.Store(&credential{pair, key, thumbprint(pair.Certificate[0])})
	return nil
}

func readCertificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate", file)
	}
	return pool, nil
}
