#include "tls.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

enum { HANDSHAKE_MS = 10000 };

/* TLS 1.2 only with the extended master secret, without which two connections can be made to share their exporter
 * values (RFC 7627 §5.4); keys of at least 112 bits of strength, that is RSA of 2048 bits. */
static const char PRIORITIES[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%FORCE_SESSION_HASH:%PROFILE_MEDIUM";

/* Trusted for client authentication at this time, or not presented at all: what a client without certificate may
 * have is decided with its token. */
static int verify_client(gnutls_session_t session)
{
    unsigned count = 0, status = 0;
    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0)
        return 0;
    gnutls_typed_vdata_st purpose = { GNUTLS_DT_KEY_PURPOSE_OID, (void *)GNUTLS_KP_TLS_WWW_CLIENT, 0 };
    return gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0;
}

const char *tls_server_load(struct tls_server *server, const char *certificate_file, const char *key_file,
                            const char *client_ca_file)
{
    gnutls_datum_t own;
    if (gnutls_certificate_allocate_credentials(&server->credentials) < 0 ||
        gnutls_x509_crt_init(&server->certificate) < 0 ||
        gnutls_session_ticket_key_generate(&server->ticket_key) < 0)
        return "out of memory";
    if (gnutls_priority_init(&server->priorities, PRIORITIES, NULL) < 0)
        return "this GnuTLS does not know the priorities";
    if (gnutls_certificate_set_x509_key_file2(server->credentials, certificate_file, key_file,
                                              GNUTLS_X509_FMT_PEM, NULL, 0) < 0 ||
        gnutls_certificate_get_crt_raw(server->credentials, 0, 0, &own) < 0 ||
        gnutls_x509_crt_import(server->certificate, &own, GNUTLS_X509_FMT_DER) < 0)
        return "certificate and key of the server cannot be used";
    if (gnutls_certificate_set_x509_trust_file(server->credentials, client_ca_file, GNUTLS_X509_FMT_PEM) <= 0)
        return "there is no trust anchor for clients";
    gnutls_certificate_set_verify_function(server->credentials, verify_client);
    return NULL;
}

void tls_server_free(struct tls_server *server)
{
    gnutls_certificate_free_credentials(server->credentials);
    gnutls_priority_deinit(server->priorities);
    gnutls_x509_crt_deinit(server->certificate);
    gnutls_free(server->ticket_key.data);
}

bool tls_server_is_named(const struct tls_server *server, const char *authority)
{
    char host[256];
    const char *start = authority, *end = strrchr(authority, ':');
    if (*start == '[') { /* an IPv6 address */
        start++;
        end = strchr(start, ']');
    }
    size_t length = end == NULL ? strlen(start) : (size_t)(end - start);
    if (length == 0 || length >= sizeof host)
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    return gnutls_x509_crt_check_hostname(server->certificate, host) != 0;
}

/* The heart of the binding: the keying material that this connection and no other has (RFC 5705, RFC 8446 §7.5).
 * The context is "", not NULL: on TLS 1.2 a context of length zero and none at all give different octets. */
static bool export_keying_material(gnutls_session_t session, char *ekm)
{
    unsigned char octets[EXPORTER_SIZE];
    bool made = gnutls_prf_rfc5705(session, strlen(EXPORTER_LABEL), EXPORTER_LABEL, 0, "", sizeof octets,
                                   (char *)octets) == GNUTLS_E_SUCCESS;
    if (made)
        base64url_encode(octets, sizeof octets, ekm);
    gnutls_memset(octets, 0, sizeof octets);
    return made;
}

/* The end-entity certificate comes first; what follows it binds nothing. */
static bool read_certificate(gnutls_session_t session, struct tls_client *client)
{
    unsigned count = 0;
    unsigned char digest[THUMBPRINT_SIZE];
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0)
        return true;
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    bool read = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS &&
                gnutls_pubkey_init(&client->key) == GNUTLS_E_SUCCESS &&
                gnutls_pubkey_import_x509(client->key, certificate, 0) == GNUTLS_E_SUCCESS &&
                gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, digest) == GNUTLS_E_SUCCESS;
    if (read) {
        client->certificate_expires = gnutls_x509_crt_get_expiration_time(certificate);
        base64url_encode(digest, sizeof digest, client->thumbprint);
    }
    gnutls_x509_crt_deinit(certificate);
    return read;
}

/* What must hold of the session itself. A resumed one has no Certificate message: its client is the one that is
 * remembered in the ticket, which is judged anew, as it may have expired since. */
static const char *check_session(gnutls_session_t session)
{
    if (gnutls_protocol_get_version(session) == GNUTLS_TLS1_2 && !gnutls_session_ext_master_secret_status(session))
        return "TLS 1.2 without the extended master secret";
    if (gnutls_session_is_resumed(session) && verify_client(session) != 0)
        return "the client certificate of the resumed session is not valid any more";
    return NULL;
}

const char *tls_accept(const struct tls_server *server, int socket, gnutls_session_t *session,
                       struct tls_client *client)
{
    static const gnutls_datum_t HTTP_1_1 = { (unsigned char *)"http/1.1", 8 };
    memset(client, 0, sizeof *client);
    /* Without GNUTLS_ENABLE_EARLY_DATA no request is taken before the handshake is over. */
    if (gnutls_init(session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) < 0) {
        *session = NULL;
        return "out of memory";
    }
    if (gnutls_priority_set(*session, server->priorities) < 0 ||
        gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE, server->credentials) < 0 ||
        gnutls_session_ticket_enable_server(*session, &server->ticket_key) < 0 ||
        gnutls_alpn_set_protocols(*session, &HTTP_1_1, 1, GNUTLS_ALPN_MANDATORY) < 0)
        return "out of memory";
    gnutls_certificate_server_set_request(*session, GNUTLS_CERT_REQUEST);
    gnutls_handshake_set_timeout(*session, HANDSHAKE_MS);
    gnutls_transport_set_int(*session, socket);
    int result;
    do
        result = gnutls_handshake(*session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    if (result < 0) {
        gnutls_alert_send_appropriate(*session, result);
        return gnutls_strerror(result);
    }
    const char *reason = check_session(*session);
    if (reason == NULL && !(export_keying_material(*session, client->ekm) && read_certificate(*session, client)))
        reason = "exporter value or client certificate cannot be read";
    if (reason != NULL)
        gnutls_alert_send(*session, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
    return reason;
}

ssize_t tls_read(gnutls_session_t session, void *octets, size_t size, unsigned timeout_ms)
{
    gnutls_record_set_timeout(session, timeout_ms);
    ssize_t count;
    do
        count = gnutls_record_recv(session, octets, size);
    while (count == GNUTLS_E_INTERRUPTED || count == GNUTLS_E_AGAIN || count == GNUTLS_E_WARNING_ALERT_RECEIVED);
    /* Renegotiation could give this connection another exporter value and another client: it ends instead. */
    if (count == GNUTLS_E_REHANDSHAKE)
        gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_NO_RENEGOTIATION);
    return count;
}

bool tls_write(gnutls_session_t session, const void *octets, size_t size)
{
    const unsigned char *next = octets;
    while (size > 0) {
        ssize_t count = gnutls_record_send(session, next, size);
        if (count == GNUTLS_E_INTERRUPTED)
            continue;
        if (count <= 0)
            return false;
        next += count;
        size -= (size_t)count;
    }
    return true;
}

void tls_close(gnutls_session_t session, struct tls_client *client)
{
    if (client->key != NULL)
        gnutls_pubkey_deinit(client->key);
    gnutls_memset(client, 0, sizeof *client);
    if (session != NULL)
        gnutls_deinit(session);
}
