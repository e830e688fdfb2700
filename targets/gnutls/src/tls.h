/* The client-facing TLS connection, and what the binding takes from it. */
#ifndef TLS_H
#define TLS_H

#include <gnutls/abstract.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base64url.h"

/* draft -06 §2.2 */
#define EXPORTER_LABEL "EXPORTER-oauth-tls-session-bound"
enum { EXPORTER_SIZE = 32, THUMBPRINT_SIZE = 32 };

/* What all connections share. */
struct tls_server {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities;
    gnutls_datum_t ticket_key;
    gnutls_x509_crt_t certificate;
};

/* The client at the other end of one connection. */
struct tls_client {
    char ekm[BASE64URL_SIZE(EXPORTER_SIZE)];
    char thumbprint[BASE64URL_SIZE(THUMBPRINT_SIZE)]; /* "" where it has no certificate */
    gnutls_pubkey_t key;                              /* NULL where it has no certificate */
    time_t certificate_expires;
};

/* Returns NULL, or what went wrong. */
const char *tls_server_load(struct tls_server *server, const char *certificate_file, const char *key_file,
                            const char *client_ca_file);
void tls_server_free(struct tls_server *server);

/* Whether the server's certificate is for this host, which may have a port behind it. */
bool tls_server_is_named(const struct tls_server *server, const char *authority);

/* Shakes hands on a socket and reads what the binding needs. Returns NULL, or why there is no session; frees
 * nothing: `tls_close` in both cases. */
const char *tls_accept(const struct tls_server *server, int socket, gnutls_session_t *session,
                       struct tls_client *client);

/* Reads what there is, for at most so long. 0 at the end, less than 0 when the session cannot go on. */
ssize_t tls_read(gnutls_session_t session, void *octets, size_t size, unsigned timeout_ms);
bool tls_write(gnutls_session_t session, const void *octets, size_t size);

void tls_close(gnutls_session_t session, struct tls_client *client);

#endif
