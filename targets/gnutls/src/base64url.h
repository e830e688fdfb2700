/* base64url without padding (RFC 4648 §5, RFC 7515 §2). */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* Characters, with the final NUL, that `octets` octets take. */
#define BASE64URL_SIZE(octets) (((octets) * 4 + 2) / 3 + 1)

void base64url_encode(const unsigned char *octets, size_t count, char *text);

/* Decodes into `octets`, which has room for `length * 3 / 4`. Strict: no padding, no white space, no other
 * alphabet, and no bits that are left over, so that each value has one spelling only. */
bool base64url_decode(const char *text, size_t length, unsigned char *octets, size_t *count);

#endif
