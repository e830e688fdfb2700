/* One client connection, from its handshake to its end. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "tls.h"
#include "token.h"

struct server {
    struct tls_server tls;
    struct token_policy policy;
    const char *application; /* its Unix socket */
};

/* Serves request after request on the socket, which stays open for the caller to close. */
void connection_serve(const struct server *server, int socket);

#endif
