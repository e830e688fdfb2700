/* Whether a request may pass, and what it is answered with where it may not (draft -06 §3.3.2, §3.5). */
#ifndef AUTHORISATION_H
#define AUTHORISATION_H

#include "http.h"
#include "proof.h"
#include "tls.h"
#include "token.h"

struct verdict {
    struct token token; /* of a request that may pass */
    unsigned status;    /* 0: it may pass */
    const char *error;  /* NULL where the request has no token: then the challenge has none either */
    const char *reason; /* one fixed sentence; never anything that the client or the connection has */
};

/* Every request is judged anew. `token_free(&verdict.token)` afterwards. */
struct verdict authorise(const struct request *request, const struct token_policy *policy,
                         const struct tls_client *client, struct bindings *bindings);

#endif
