/* Session-Binding Proofs (draft -06 §2.3) and their verification (§3.3.2 steps 5d to 5i). */
#ifndef PROOF_H
#define PROOF_H

#include "tls.h"
#include "token.h"

enum { DIGEST_SIZE = 32, MOST_BINDINGS = 128 };

/* The bindings that were verified on one connection. They are a member of that connection and end with it: there
 * is no table of connections in which a later one could be taken for an earlier one (draft -06 §3.3.2). */
struct bindings {
    struct binding {
        unsigned char token[DIGEST_SIZE];
        unsigned char proof[DIGEST_SIZE];
    } list[MOST_BINDINGS];
    size_t made; /* the oldest is overwritten, and is verified in full when it comes again */
};

/* The request that a proof came with. */
struct proof_target {
    const char *method;
    const char *authority;
    const char *path; /* without the query */
};

/* Returns NULL, or why the proof is refused. */
const char *proof_check(const char *proof, const char *compact_token, const struct token *token,
                        const struct tls_client *client, const struct proof_target *target,
                        struct bindings *bindings);

#endif
