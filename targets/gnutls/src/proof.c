#include "proof.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base64url.h"
#include "jws.h"
#include "replay.h"

/* draft -06 §2.3.2.1 leaves the window to the server. */
enum { OLDEST = 300, CLOCK_SKEW = 60 };

/* An exact match of the texts: base64url has one spelling for each value, and any other is refused. */
static bool says(const json_t *object, const char *name, const char *expected)
{
    const json_t *value = json_object_get(object, name);
    size_t length = strlen(expected);
    return json_is_string(value) && json_string_length(value) == length &&
           gnutls_memcmp(json_string_value(value), expected, length) == 0;
}

static bool digest(const char *text, unsigned char *result)
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), result) == GNUTLS_E_SUCCESS;
}

static bool is_verified(const struct bindings *bindings, const struct binding *binding)
{
    size_t count = bindings->made < MOST_BINDINGS ? bindings->made : MOST_BINDINGS;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&bindings->list[i], binding, sizeof *binding) == 0)
            return true;
    }
    return false;
}

/* What makes a proof good for some time only: iat in the window, and exp and nbf where they are there, which the
 * draft does not define but RFC 7519 §4.1.4 and §4.1.5 forbid to pass over. */
static const char *check_times(const json_t *payload, double now)
{
    const json_t *expires = json_object_get(payload, "exp");
    const json_t *starts = json_object_get(payload, "nbf");
    if (expires != NULL && (!json_is_number(expires) || json_number_value(expires) <= now))
        return "the proof has expired";
    if (starts != NULL && (!json_is_number(starts) || json_number_value(starts) > now + CLOCK_SKEW))
        return "the proof is not valid yet";
    return NULL;
}

static const char *check_age(const json_t *payload, double now)
{
    double made = json_number_value(json_object_get(payload, "iat"));
    return made < now - OLDEST || made > now + CLOCK_SKEW ? "iat is outside the window" : NULL;
}

/* draft -06 §2.3.2.2 calls it the target URI and shows a path: both are taken, and nothing else. */
static bool names_target(const json_t *claim, const struct proof_target *target)
{
    const char *text = json_string_value(claim);
    if (text == NULL)
        return false;
    if (strcmp(text, target->path) == 0)
        return true;
    char *uri = NULL;
    if (asprintf(&uri, "https://%s%s", target->authority, target->path) < 0)
        return false;
    bool same = strcmp(text, uri) == 0;
    free(uri);
    return same;
}

/* Step 5i, for each claim that is there; jti only when all the rest has held, so that nobody can use up another's. */
static const char *check_request(const json_t *payload, const char *ath, const struct token *token,
                                 const struct proof_target *target)
{
    const json_t *method = json_object_get(payload, "htm");
    const json_t *uri = json_object_get(payload, "htu");
    const json_t *identifier = json_object_get(payload, "jti");
    if (method != NULL && !says(payload, "htm", target->method))
        return "htm is not the method of the request";
    if (uri != NULL && !names_target(uri, target))
        return "htu is not the target of the request";
    if (identifier == NULL)
        return NULL;
    if (!json_is_string(identifier) || json_string_length(identifier) == 0)
        return "jti is not a text";
    return replay_record(ath, json_string_value(identifier), token->expires) ? NULL : "jti was used before";
}

static const char *check(const struct jws *jws, const struct token *token, const struct tls_client *client,
                         const struct proof_target *target, const struct binding *binding,
                         struct bindings *bindings)
{
    char ath[BASE64URL_SIZE(DIGEST_SIZE)];
    base64url_encode(binding->token, DIGEST_SIZE, ath);
    const double now = (double)time(NULL);
    if (!jws_has_type(jws, "tls-binding-proof+jwt"))
        return "typ is not tls-binding-proof+jwt";
    if (!says(jws->header, "x5t#S256", client->thumbprint))
        return "x5t#S256 in the header is not the thumbprint of the client certificate";
    if (!json_is_number(json_object_get(jws->payload, "iat")))
        return "iat is missing or not a number";
    if (!says(jws->payload, "ekm", client->ekm))
        return "ekm is not the exporter value of this connection";
    if (!says(jws->payload, "ath", ath))
        return "ath is not the hash of the access token";
    const char *reason = check_times(jws->payload, now);
    /* Only the two costs that repetition makes needless are saved for a proof that was verified, octet for octet,
     * on this connection: the signature, and the age, so that one proof serves as long as the connection lives. */
    bool verified = is_verified(bindings, binding);
    if (reason == NULL && !verified && !jws_signed_by(jws, client->key))
        reason = "the signature is not by the key of the client certificate";
    if (reason == NULL && !verified)
        reason = check_age(jws->payload, now);
    if (reason == NULL)
        reason = check_request(jws->payload, ath, token, target);
    if (reason == NULL && !verified)
        bindings->list[bindings->made++ % MOST_BINDINGS] = *binding;
    return reason;
}

const char *proof_check(const char *proof, const char *compact_token, const struct token *token,
                        const struct tls_client *client, const struct proof_target *target,
                        struct bindings *bindings)
{
    struct binding binding;
    struct jws jws;
    if (!digest(compact_token, binding.token) || !digest(proof, binding.proof))
        return "the proof could not be hashed";
    const char *reason = jws_read(proof, &jws);
    if (reason == NULL)
        reason = check(&jws, token, client, target, &binding, bindings);
    jws_free(&jws);
    return reason;
}
