/* The token issuer's public keys: a JWK Set (RFC 7517). */
#ifndef KEYS_H
#define KEYS_H

#include <gnutls/abstract.h>
#include <stdbool.h>
#include <stddef.h>

#include "jws.h"

struct issuer_key {
    gnutls_pubkey_t key;
    char *id;        /* kid, or NULL */
    char *algorithm; /* alg, or NULL where any that fits may be used */
};

struct issuer_keys {
    struct issuer_key *list;
    size_t count;
};

/* Reads the set; keys of kinds that are not known are left out. False where no key is left. */
bool keys_load(const char *file, struct issuer_keys *keys);

/* Whether one of the keys has signed; with a kid in the header only keys of that kid are tried. */
bool keys_verify(const struct issuer_keys *keys, const struct jws *jws);

void keys_free(struct issuer_keys *keys);

#endif
