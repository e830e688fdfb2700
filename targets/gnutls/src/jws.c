#include "jws.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64url.h"

enum { SMALLEST_RSA_BITS = 2048 }; /* RFC 7518 §3.3, §3.5 */

/* What is accepted, as an allow-list: an algorithm, the kind of key that it goes with, and for ECDSA the one
 * curve and the length of r and of s (RFC 7518 §3.4). No `none`, no HMAC (RFC 8725 §3.1, §3.2). */
static const struct algorithm {
    const char *name;
    gnutls_pk_algorithm_t key;
    gnutls_ecc_curve_t curve;
    size_t half;
    gnutls_sign_algorithm_t sign;
} ALGORITHMS[] = {
    { "ES256", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1, 32, GNUTLS_SIGN_ECDSA_SHA256 },
    { "ES384", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1, 48, GNUTLS_SIGN_ECDSA_SHA384 },
    { "ES512", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP521R1, 66, GNUTLS_SIGN_ECDSA_SHA512 },
    { "RS256", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, 0, GNUTLS_SIGN_RSA_SHA256 },
    { "PS256", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, 0, GNUTLS_SIGN_RSA_PSS_SHA256 },
    { "PS256", GNUTLS_PK_RSA_PSS, GNUTLS_ECC_CURVE_INVALID, 0, GNUTLS_SIGN_RSA_PSS_SHA256 },
    { "EdDSA", GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519, 0, GNUTLS_SIGN_EDDSA_ED25519 },
    { "Ed25519", GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519, 0, GNUTLS_SIGN_EDDSA_ED25519 },
};

static bool decode_part(const char *text, size_t length, gnutls_datum_t *octets)
{
    size_t count = 0;
    octets->data = malloc(length + 1);
    if (octets->data == NULL || !base64url_decode(text, length, octets->data, &count))
        return false;
    octets->size = (unsigned)count;
    return true;
}

/* Jansson takes UTF-8 only, no NUL in strings and no number out of range. Repeated member names are refused,
 * so that no two readers of a JWS can see different values (RFC 7515 §4). */
static json_t *decode_object(const char *text, size_t length)
{
    gnutls_datum_t octets = { NULL, 0 };
    json_t *value = NULL;
    if (decode_part(text, length, &octets))
        value = json_loadb((const char *)octets.data, octets.size, JSON_REJECT_DUPLICATES, NULL);
    free(octets.data);
    if (value != NULL && !json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

const char *jws_read(const char *compact, struct jws *jws)
{
    memset(jws, 0, sizeof *jws);
    const char *first = strchr(compact, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL || strchr(second + 1, '.') != NULL)
        return "the JWS does not have three parts";
    jws->header = decode_object(compact, (size_t)(first - compact));
    if (jws->header == NULL)
        return "the header of the JWS is not a JSON object in base64url";
    /* No extension is understood here, so none may be critical (RFC 7515 §4.1.11); b64 changes what is
     * signed even where crit forgets to name it (RFC 7797 §6). */
    if (json_object_get(jws->header, "crit") != NULL || json_object_get(jws->header, "b64") != NULL)
        return "the header of the JWS demands an extension that is not understood";
    jws->payload = decode_object(first + 1, (size_t)(second - first - 1));
    if (jws->payload == NULL)
        return "the payload of the JWS is not a JSON object in base64url";
    if (!decode_part(second + 1, strlen(second + 1), &jws->signature))
        return "the signature of the JWS is not base64url";
    jws->signing_input.data = (unsigned char *)compact;
    jws->signing_input.size = (unsigned)(second - compact);
    return NULL;
}

static bool fits(const struct algorithm *algorithm, gnutls_pubkey_t key)
{
    unsigned bits = 0;
    int kind = gnutls_pubkey_get_pk_algorithm(key, &bits);
    if (kind != (int)algorithm->key)
        return false;
    if (algorithm->curve == GNUTLS_ECC_CURVE_INVALID)
        return bits >= SMALLEST_RSA_BITS;
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    return gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) == GNUTLS_E_SUCCESS &&
           curve == algorithm->curve;
}

static bool verifies(const struct jws *jws, const struct algorithm *algorithm, gnutls_pubkey_t key)
{
    if (algorithm->half == 0)
        return gnutls_pubkey_verify_data2(key, algorithm->sign, 0, &jws->signing_input, &jws->signature) >= 0;
    /* JWS has r and s side by side, each as long as the curve; GnuTLS wants them as a DER sequence. */
    if (jws->signature.size != 2 * algorithm->half)
        return false;
    gnutls_datum_t r = { jws->signature.data, (unsigned)algorithm->half };
    gnutls_datum_t s = { jws->signature.data + algorithm->half, (unsigned)algorithm->half };
    gnutls_datum_t der = { NULL, 0 };
    if (gnutls_encode_rs_value(&der, &r, &s) < 0)
        return false;
    int result = gnutls_pubkey_verify_data2(key, algorithm->sign, 0, &jws->signing_input, &der);
    gnutls_free(der.data);
    return result >= 0;
}

bool jws_signed_by(const struct jws *jws, gnutls_pubkey_t key)
{
    const char *name = json_string_value(json_object_get(jws->header, "alg"));
    if (name == NULL)
        return false;
    for (size_t i = 0; i < sizeof ALGORITHMS / sizeof *ALGORITHMS; i++) {
        const struct algorithm *algorithm = &ALGORITHMS[i];
        if (strcmp(algorithm->name, name) == 0 && fits(algorithm, key))
            return verifies(jws, algorithm, key);
    }
    return false;
}

bool jws_has_type(const struct jws *jws, const char *type)
{
    static const char PREFIX[] = "application/";
    const char *typ = json_string_value(json_object_get(jws->header, "typ"));
    if (typ == NULL)
        return false;
    if (strncasecmp(typ, PREFIX, sizeof PREFIX - 1) == 0)
        typ += sizeof PREFIX - 1;
    return strcasecmp(typ, type) == 0;
}

void jws_free(struct jws *jws)
{
    json_decref(jws->header);
    json_decref(jws->payload);
    free(jws->signature.data);
    memset(jws, 0, sizeof *jws);
}
