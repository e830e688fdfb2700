#include "authorisation.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char B64TOKEN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

static struct verdict refusal(struct verdict verdict, unsigned status, const char *error, const char *reason)
{
    verdict.status = status;
    verdict.error = error;
    verdict.reason = reason;
    return verdict;
}

/* draft -06 §3.3.2 step 5c, and RFC 8705 §3 for tokens that are bound to the certificate alone. */
static const char *check_certificate(const struct token *token, const struct tls_client *client)
{
    if (client->key == NULL)
        return "the token is bound to a client certificate, and this connection has none";
    if (client->certificate_expires <= time(NULL))
        return "the client certificate has expired since the handshake";
    if (strlen(token->thumbprint) != strlen(client->thumbprint) ||
        gnutls_memcmp(token->thumbprint, client->thumbprint, strlen(client->thumbprint)) != 0)
        return "the token is bound to another certificate";
    return NULL;
}

struct verdict authorise(const struct request *request, const struct token_policy *policy,
                         const struct tls_client *client, struct bindings *bindings)
{
    static const char SCHEME[] = "Bearer ";
    struct verdict verdict = { .status = 0 };
    const char *compact = NULL, *proof = NULL;
    size_t count = http_field(request, "authorization", &compact);
    if (count > 1)
        return refusal(verdict, 400, "invalid_request", "there is more than one Authorization field");
    if (count == 0 || strncasecmp(compact, SCHEME, sizeof SCHEME - 1) != 0)
        return refusal(verdict, 401, NULL, "there is no bearer token");
    compact += sizeof SCHEME - 1;
    compact += strspn(compact, " ");
    if (compact[strspn(compact, B64TOKEN)] != '\0')
        return refusal(verdict, 401, "invalid_token", "the token has characters that no token has");
    const char *reason = token_read(compact, policy, &verdict.token);
    if (reason == NULL)
        reason = check_certificate(&verdict.token, client);
    if (reason != NULL)
        return refusal(verdict, 401, "invalid_token", reason);
    if (!verdict.token.session_bound)
        return verdict;
    /* On every request, whatever was verified before (draft -06 §2.4, step 5d). */
    count = http_field(request, "session-binding-proof", &proof);
    if (count == 0)
        return refusal(verdict, 401, "use_session_binding", "the token needs a Session-Binding-Proof");
    if (count > 1)
        return refusal(verdict, 401, "invalid_proof", "there is more than one Session-Binding-Proof field");
    struct proof_target target = { request->method, request->authority, request->path };
    reason = proof_check(proof, compact, &verdict.token, client, &target, bindings);
    return reason == NULL ? verdict : refusal(verdict, 401, "invalid_proof", reason);
}
