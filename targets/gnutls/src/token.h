/* Access tokens: RFC 9068, with the confirmation of draft -06 §2.4 or of RFC 8705. */
#ifndef TOKEN_H
#define TOKEN_H

#include <jansson.h>
#include <stdbool.h>

#include "keys.h"

/* Whose tokens are accepted. */
struct token_policy {
    const char *issuer;
    const char *audience;
    struct issuer_keys keys;
};

struct token {
    json_t *claims;         /* what the texts below point into */
    const char *subject;
    const char *scope;      /* "" where the token has none */
    const char *thumbprint; /* cnf.x5t#S256 */
    double expires;
    bool session_bound;     /* cnf.tls_exp: a proof is needed */
};

/* Validates all that can be validated without the connection. Returns NULL, or why the token is refused;
 * `token_free` in both cases. */
const char *token_read(const char *compact, const struct token_policy *policy, struct token *token);

void token_free(struct token *token);

#endif
