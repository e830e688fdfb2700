/* What the sidecar is told by its environment. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

struct settings {
    const char *listen; /* host:port, an IPv6 host in brackets */
    const char *certificate_file;
    const char *key_file;
    const char *client_ca_file;
    const char *issuer;
    const char *audience;
    const char *jwks_file;
};

/* False, and a line on stderr, where one is missing. */
bool settings_read(struct settings *settings);

#endif
