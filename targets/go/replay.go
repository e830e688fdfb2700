package main

import (
	"crypto/sha256"
	"sync"
	"time"
)

// mostIdentifiers bounds the memory that proofs with jti can take: some twenty megabytes.
const mostIdentifiers = 200_000

// replayGuard remembers the jti of accepted proofs, each for as long as its token is valid (draft -06 §2.3.2.2), and
// across connections.
type replayGuard struct {
	mutex sync.Mutex
	seen  map[[sha256.Size]byte]time.Time
}

func newReplayGuard() *replayGuard {
	return &replayGuard{seen: map[[sha256.Size]byte]time.Time{}}
}

// first tells whether this jti comes with this token, in this field, for the first time, and remembers it, in one step: of
// two requests at the same time one is the second. It is asked last, so that nobody can use up an identifier with a proof
// that fails.
func (g *replayGuard) first(field, jti string, token *accessToken, now time.Time) bool {
	key := sha256.Sum256([]byte(token.hash + field + " " + jti)) // no two of them give one text
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if _, repeated := g.seen[key]; repeated {
		return false
	}
	if len(g.seen) >= mostIdentifiers {
		for old, expires := range g.seen {
			if !expires.After(now) {
				delete(g.seen, old)
			}
		}
		if len(g.seen) >= mostIdentifiers {
			return false // rather refuse than accept what cannot be told from a repetition later
		}
	}
	g.seen[key] = token.expires
	return true
}
