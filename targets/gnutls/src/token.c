#include "token.h"

#include <string.h>
#include <time.h>

#include "tls.h"

enum { CLOCK_SKEW = 5 }; /* seconds, for times that must have passed */

static bool names(const json_t *claim, const char *audience)
{
    const char *text = json_string_value(claim);
    if (text != NULL)
        return strcmp(text, audience) == 0;
    for (size_t i = 0; i < json_array_size(claim); i++) {
        const char *item = json_string_value(json_array_get(claim, i));
        if (item != NULL && strcmp(item, audience) == 0)
            return true;
    }
    return false;
}

static bool has_passed(const json_t *claim, double now)
{
    return claim == NULL || (json_is_number(claim) && json_number_value(claim) <= now + CLOCK_SKEW);
}

/* draft -06 §2.4. A tls_exp that cannot be honoured never means "not session-bound": the token is refused. And
 * a token with nothing in it that could be checked here is a bearer token, which is what this server is there
 * to keep out; members beside the two do not matter (RFC 7800 §3.1). */
static const char *read_confirmation(struct token *token)
{
    const json_t *confirmation = json_object_get(token->claims, "cnf");
    if (!json_is_object(confirmation))
        return "the token is bound to nothing: cnf is missing or no object";
    token->thumbprint = json_string_value(json_object_get(confirmation, "x5t#S256"));
    if (token->thumbprint == NULL)
        return "the token is not bound to a certificate: cnf has no x5t#S256";
    const json_t *label = json_object_get(confirmation, "tls_exp");
    token->session_bound = label != NULL;
    if (label != NULL && (!json_is_string(label) || strcmp(json_string_value(label), EXPORTER_LABEL) != 0))
        return "cnf has a tls_exp that is not the registered exporter label";
    return NULL;
}

static const char *read_claims(const struct token_policy *policy, struct token *token)
{
    const json_t *claims = token->claims;
    const double now = (double)time(NULL);
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    if (issuer == NULL || strcmp(issuer, policy->issuer) != 0)
        return "the token is from another issuer";
    if (!names(json_object_get(claims, "aud"), policy->audience))
        return "the token is for another audience";
    const json_t *expires = json_object_get(claims, "exp");
    if (!json_is_number(expires))
        return "the token has no expiry";
    token->expires = json_number_value(expires);
    if (token->expires <= now)
        return "the token has expired";
    if (!has_passed(json_object_get(claims, "nbf"), now) || !has_passed(json_object_get(claims, "iat"), now))
        return "the token is not valid yet";
    token->subject = json_string_value(json_object_get(claims, "sub"));
    if (token->subject == NULL || *token->subject == '\0')
        return "the token has no subject";
    const json_t *scope = json_object_get(claims, "scope");
    if (scope != NULL && !json_is_string(scope))
        return "the scope of the token is not a text";
    token->scope = scope == NULL ? "" : json_string_value(scope);
    return read_confirmation(token);
}

const char *token_read(const char *compact, const struct token_policy *policy, struct token *token)
{
    memset(token, 0, sizeof *token);
    struct jws jws;
    const char *reason = NULL;
    if (jws_read(compact, &jws) != NULL)
        reason = "the token is not a signed JWT";
    else if (!jws_has_type(&jws, "at+jwt")) /* so that no other JWT passes as one (RFC 9068 §4, RFC 8725 §3.11) */
        reason = "the token is not typed at+jwt";
    else if (!keys_verify(&policy->keys, &jws))
        reason = "the token is not signed with a key of the issuer";
    if (reason == NULL) {
        token->claims = json_incref(jws.payload);
        reason = read_claims(policy, token);
    }
    jws_free(&jws);
    return reason;
}

void token_free(struct token *token)
{
    json_decref(token->claims);
    memset(token, 0, sizeof *token);
}
