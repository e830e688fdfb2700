#include "keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"

enum { LONGEST_NUMBER = 1024 }; /* octets: RSA moduli of up to 8192 bits */

struct number {
    unsigned char octets[LONGEST_NUMBER];
    gnutls_datum_t datum;
};

static bool read_number(const json_t *jwk, const char *name, struct number *number)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    size_t count = 0;
    if (text == NULL || strlen(text) > LONGEST_NUMBER * 4 / 3 ||
        !base64url_decode(text, strlen(text), number->octets, &count))
        return false;
    number->datum = (gnutls_datum_t){ number->octets, (unsigned)count };
    return true;
}

static gnutls_ecc_curve_t curve_of(const json_t *jwk)
{
    static const struct {
        const char *name;
        gnutls_ecc_curve_t curve;
    } CURVES[] = {
        { "P-256", GNUTLS_ECC_CURVE_SECP256R1 },
        { "P-384", GNUTLS_ECC_CURVE_SECP384R1 },
        { "P-521", GNUTLS_ECC_CURVE_SECP521R1 },
        { "Ed25519", GNUTLS_ECC_CURVE_ED25519 },
    };
    const char *name = json_string_value(json_object_get(jwk, "crv"));
    for (size_t i = 0; name != NULL && i < sizeof CURVES / sizeof *CURVES; i++) {
        if (strcmp(CURVES[i].name, name) == 0)
            return CURVES[i].curve;
    }
    return GNUTLS_ECC_CURVE_INVALID;
}

static bool import(const json_t *jwk, gnutls_pubkey_t key)
{
    const char *kind = json_string_value(json_object_get(jwk, "kty"));
    const char *use = json_string_value(json_object_get(jwk, "use"));
    struct number a, b;
    if (kind == NULL || (use != NULL && strcmp(use, "sig") != 0))
        return false;
    if (strcmp(kind, "RSA") == 0)
        return read_number(jwk, "n", &a) && read_number(jwk, "e", &b) &&
               gnutls_pubkey_import_rsa_raw(key, &a.datum, &b.datum) == GNUTLS_E_SUCCESS;
    gnutls_ecc_curve_t curve = curve_of(jwk);
    if (curve == GNUTLS_ECC_CURVE_INVALID || !read_number(jwk, "x", &a))
        return false;
    if (strcmp(kind, "OKP") == 0 && curve == GNUTLS_ECC_CURVE_ED25519)
        return gnutls_pubkey_import_ecc_raw(key, curve, &a.datum, NULL) == GNUTLS_E_SUCCESS;
    return strcmp(kind, "EC") == 0 && curve != GNUTLS_ECC_CURVE_ED25519 && read_number(jwk, "y", &b) &&
           gnutls_pubkey_import_ecc_raw(key, curve, &a.datum, &b.datum) == GNUTLS_E_SUCCESS;
}

static char *copy_of(const json_t *jwk, const char *name)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    return text == NULL ? NULL : strdup(text);
}

bool keys_load(const char *file, struct issuer_keys *keys)
{
    memset(keys, 0, sizeof *keys);
    json_t *set = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(set, "keys");
    keys->list = calloc(json_array_size(list) + 1, sizeof *keys->list);
    for (size_t i = 0; keys->list != NULL && i < json_array_size(list); i++) {
        const json_t *jwk = json_array_get(list, i);
        gnutls_pubkey_t key;
        if (gnutls_pubkey_init(&key) != GNUTLS_E_SUCCESS)
            break;
        if (import(jwk, key))
            keys->list[keys->count++] = (struct issuer_key){ key, copy_of(jwk, "kid"), copy_of(jwk, "alg") };
        else
            gnutls_pubkey_deinit(key);
    }
    json_decref(set);
    return keys->count > 0;
}

/* NULL on the key's side means that it makes no demand. */
static bool suits(const char *demanded, const char *given)
{
    return demanded == NULL || (given != NULL && strcmp(demanded, given) == 0);
}

bool keys_verify(const struct issuer_keys *keys, const struct jws *jws)
{
    const json_t *id = json_object_get(jws->header, "kid");
    const char *algorithm = json_string_value(json_object_get(jws->header, "alg"));
    for (size_t i = 0; i < keys->count; i++) {
        const struct issuer_key *key = &keys->list[i];
        if ((id == NULL || (key->id != NULL && suits(key->id, json_string_value(id)))) &&
            suits(key->algorithm, algorithm) && jws_signed_by(jws, key->key))
            return true;
    }
    return false;
}

void keys_free(struct issuer_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        gnutls_pubkey_deinit(keys->list[i].key);
        free(keys->list[i].id);
        free(keys->list[i].algorithm);
    }
    free(keys->list);
}
