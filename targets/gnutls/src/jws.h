/* JSON Web Signatures in the compact serialization (RFC 7515), with asymmetric algorithms only. */
#ifndef JWS_H
#define JWS_H

#include <gnutls/abstract.h>
#include <jansson.h>
#include <stdbool.h>

struct jws {
    json_t *header;
    json_t *payload;
    gnutls_datum_t signing_input; /* points into the text that was read */
    gnutls_datum_t signature;
};

/* Reads a compact JWS whose payload is a JSON object. Nothing of it is to be trusted yet.
 * Returns NULL, or why it cannot be read; `jws_free` in both cases. */
const char *jws_read(const char *compact, struct jws *jws);

/* Whether the signature was made with the private key of just this public key, by an algorithm that fits the
 * key. The header says which algorithm, never which key. */
bool jws_signed_by(const struct jws *jws, gnutls_pubkey_t key);

/* Whether the header's typ is this media type, of which "application/" may be left out (RFC 7515 §4.1.9). */
bool jws_has_type(const struct jws *jws, const char *type);

void jws_free(struct jws *jws);

#endif
