// Command tls-session-binding binds OAuth access tokens to TLS connections (draft-mw-oauth-tls-session-bound-tokens),
// as a resource server that demands it and as a sidecar that does it for clients. It uses Go's standard library alone.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// exitRoleUnknown says that TSBT_ROLE is a role which is not played here.
const exitRoleUnknown = 127

// shutdownTime is for requests that are under way when it ends.
const shutdownTime = 2 * time.Second

func main() {
	log.SetFlags(log.Lmicroseconds)
	role := os.Getenv("TSBT_ROLE")
	if role != "resource-server" && role != "client" {
		log.Printf("the role %q is not supported", role)
		os.Exit(exitRoleUnknown)
	}
	if err := run(role); err != nil {
		log.Fatal(err)
	}
}

// run serves until SIGTERM.
func run(role string) error {
	terminated, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	credentials, err := readCredentials(setting("TSBT_TLS_CERT_FILE"), setting("TSBT_TLS_KEY_FILE"))
	if err != nil {
		return err
	}
	go reloadOnHangup(credentials)

	var server *http.Server
	var serve func(net.Listener) error
	if role == "resource-server" {
		server, err = newResourceServer(credentials)
		serve = func(listener net.Listener) error { return server.ServeTLS(listener, "", "") }
	} else {
		server, err = newSidecar(credentials)
		serve = func(listener net.Listener) error { return server.Serve(listener) }
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", setting("TSBT_LISTEN"))
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-terminated.Done()
		patience, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		if server.Shutdown(patience) != nil {
			server.Close()
		}
	}()
	if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

func reloadOnHangup(credentials *credentials) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	for range hangup {
		if err := credentials.reload(); err != nil {
			log.Printf("certificate and key stay as they are: %v", err)
			continue
		}
		log.Print("certificate and key were read again")
	}
}

// setting is an environment variable that has to be there.
func setting(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("%s is not set", name)
	}
	return value
}
