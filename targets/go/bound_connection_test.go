package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func request(u *upstream) *http.Request {
	r := must(http.NewRequest(http.MethodGet, u.origin.String()+"/resource", nil))
	r.Header.Set("Authorization", "Bearer token")
	return r
}

// What net/http would do when its connection ends is what a proof must not meet with: another connection.
func TestRequestsNeverLeaveTheirConnection(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			listener, u := tlsServer(t, protocol)
			var connections atomic.Int32
			server := &http.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ekm := must(exporterValue(*r.TLS))
					if proof := must(parseJWS(r.Header.Get(proofField))); proof.claims["ekm"] != ekm {
						t.Error("the proof is not for the connection that it came on")
					}
				}),
				ConnState: func(_ net.Conn, state http.ConnState) {
					if state == http.StateNew {
						connections.Add(1)
					}
				},
			}
			go server.Serve(listener)
			c := mustOpen(t, u)
			for range 2 {
				response, _, err := c.attempt(request(u), proving{})
				if err != nil {
					t.Fatal(err)
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			server.Close()
			if _, _, err := c.attempt(request(u), proving{}); err == nil {
				t.Error("there is a response, and no connection")
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// The frames of HTTP/2 that matter here (RFC 9113 §6).
const (
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	refusedStream = 7
)

// A stream that is refused may be tried again, but not by net/http with the same proof.
func TestRefusedStreamIsNotRepeatedWithItsProof(t *testing.T) {
	listener, u := tlsServer(t, "h2")
	streams := make(chan uint32, 10)
	go refuseStreams(listener, streams)
	c := mustOpen(t, u)
	if _, sent, err := c.attempt(request(u), proving{perRequest: true}); err == nil || !sent {
		t.Errorf("sent: %v, error: %v", sent, err)
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(streams); n != 1 {
		t.Errorf("%d streams for one proof", n)
	}
}

// refuseStreams is an HTTP/2 server that says no to each request.
func refuseStreams(listener net.Listener, streams chan<- uint32) {
	connection := must(listener.Accept())
	defer connection.Close()
	reader := bufio.NewReader(connection)
	reader.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	connection.Write(frame(frameSettings, 0, nil))
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(reader, head); err != nil {
			return
		}
		reader.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
		if stream := binary.BigEndian.Uint32(head[5:]); head[3] == frameHeaders {
			streams <- stream
			connection.Write(frame(frameReset, stream, []byte{0, 0, 0, refusedStream}))
		}
	}
}

func frame(kind byte, stream uint32, payload []byte) []byte {
	head := []byte{0, 0, byte(len(payload)), kind, 0}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}
