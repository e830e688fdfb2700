#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

bool settings_read(struct settings *settings)
{
    const struct {
        const char *name;
        const char **value;
    } VARIABLES[] = {
        { "TSBT_LISTEN", &settings->listen },
        { "TSBT_TLS_CERT_FILE", &settings->certificate_file },
        { "TSBT_TLS_KEY_FILE", &settings->key_file },
        { "TSBT_CLIENT_CA_FILE", &settings->client_ca_file },
        { "TSBT_ISSUER", &settings->issuer },
        { "TSBT_AUDIENCE", &settings->audience },
        { "TSBT_JWKS_FILE", &settings->jwks_file },
    };
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++) {
        *VARIABLES[i].value = getenv(VARIABLES[i].name);
        if (*VARIABLES[i].value == NULL) {
            fprintf(stderr, "sidecar: %s is not set\n", VARIABLES[i].name);
            return false;
        }
    }
    return true;
}
