/* The application behind the sidecar: plain HTTP over a Unix socket. */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "token.h"

/* An answer of the application. */
struct response {
    unsigned status;
    char *fields; /* as lines, without those of its hop */
    char *body;
    size_t body_size;
};

/* Asks the application, on a connection of its own. False where it gives no proper answer.
 * `upstream_free` in both cases. */
bool upstream_ask(const char *socket_path, const struct request *request, const struct token *token,
                  struct response *response);

void upstream_free(struct response *response);

#endif
