#include "base64url.h"

#include <stdint.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const unsigned char *octets, size_t count, char *text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits << 8 | octets[i];
        for (held += 8; held >= 6; held -= 6)
            *text++ = ALPHABET[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *text++ = ALPHABET[bits << (6 - held) & 63];
    *text = '\0';
}

static int value_of(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    if (character == '-')
        return 62;
    return character == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t length, unsigned char *octets, size_t *count)
{
    if (length % 4 == 1)
        return false;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t made = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            octets[made++] = (unsigned char)(bits >> held & 255);
        }
    }
    *count = made;
    return (bits & ((1U << held) - 1)) == 0;
}
