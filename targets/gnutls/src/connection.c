#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authorisation.h"
#include "http.h"
#include "upstream.h"

/* All that belongs to one connection, and ends with it. */
struct connection {
    const struct server *server;
    gnutls_session_t session;
    struct tls_client client;
    struct bindings bindings;
    struct http_reader reader;
    struct request request;
};

/* Returns whether the connection stays open. */
static bool send_response(struct connection *connection, unsigned status, const char *fields, const char *body,
                          size_t body_size, bool keep)
{
    const char *method = connection->request.method;
    bool to_head = method != NULL && strcmp(method, "HEAD") == 0;
    char *text = NULL, date[64];
    size_t size = 0;
    struct tm calendar;
    const time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &calendar));
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return false;
    /* The reason phrase may be left out, the space before it may not (RFC 9112 §4). */
    fprintf(stream, "HTTP/1.1 %u \r\nDate: %s\r\n%s%s", status, date, fields, keep ? "" : "Connection: close\r\n");
    /* These have no body, and a length would be another answer's (RFC 9110 §8.6). */
    if (!to_head && status != 204 && status != 304)
        fprintf(stream, "Content-Length: %zu\r\n", body_size);
    fputs("\r\n", stream);
    if (!to_head)
        fwrite(body, 1, body_size, stream);
    bool sent = fclose(stream) == 0 && tls_write(connection->session, text, size);
    free(text);
    return sent && keep;
}

/* An answer of the sidecar's own, with one sentence as its body. */
static bool send_text(struct connection *connection, unsigned status, const char *challenge, const char *sentence,
                      bool keep)
{
    char fields[512];
    snprintf(fields, sizeof fields, "%sContent-Type: text/plain\r\nCache-Control: no-store\r\n", challenge);
    fprintf(stderr, "sidecar: %u: %s\n", status, sentence);
    return send_response(connection, status, fields, sentence, strlen(sentence), keep);
}

/* The last answer of a connection. The client may be sending still, and has to see it before it sees the end. */
static bool send_last(struct connection *connection, unsigned status, const char *challenge, const char *sentence)
{
    send_text(connection, status, challenge, sentence, false);
    http_drain(&connection->reader);
    return false;
}

/* draft -06 §3.5, RFC 6750 §3: one challenge on one line; error code and sentence are fixed texts without quotes. */
static bool send_refusal(struct connection *connection, const struct verdict *verdict, bool keep)
{
    char challenge[384];
    if (verdict->error == NULL)
        snprintf(challenge, sizeof challenge, "WWW-Authenticate: Bearer realm=\"sidecar\"\r\n");
    else
        snprintf(challenge, sizeof challenge,
                 "WWW-Authenticate: Bearer realm=\"sidecar\", error=\"%s\", error_description=\"%s\"\r\n",
                 verdict->error, verdict->reason);
    return keep ? send_text(connection, verdict->status, challenge, verdict->reason, true)
                : send_last(connection, verdict->status, challenge, verdict->reason);
}

/* What cannot be read as HTTP ends the connection: nobody knows where the next request would begin. */
static bool send_broken(struct connection *connection)
{
    return send_last(connection, connection->reader.status, "", "the request cannot be read");
}

static bool forward(struct connection *connection, const struct token *token)
{
    struct response response;
    const struct request *request = &connection->request;
    bool sent;
    if (upstream_ask(connection->server->application, request, token, &response))
        sent = send_response(connection, response.status, response.fields, response.body, response.body_size,
                             request->keep_alive);
    else
        sent = send_text(connection, 502, "", "the application gives no answer", request->keep_alive);
    upstream_free(&response);
    return sent;
}

static bool serve_judged(struct connection *connection, const struct verdict *verdict)
{
    static const char CONTINUE[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct request *request = &connection->request;
    bool refused = verdict->status != 0;
    /* A client that waits before it sends the body may now leave it out, or not: only the end of the connection
     * makes that unmistakable (RFC 9110 §10.1.1). */
    if (refused && request->expects_continue)
        return send_refusal(connection, verdict, false);
    if (request->expects_continue && !tls_write(connection->session, CONTINUE, sizeof CONTINUE - 1))
        return false;
    switch (http_read_body(&connection->reader, &connection->request, refused)) {
    case HTTP_END:
        return false;
    case HTTP_BROKEN:
        return send_broken(connection);
    case HTTP_READ:
        break;
    }
    return refused ? send_refusal(connection, verdict, request->keep_alive) : forward(connection, &verdict->token);
}

/* Serves one request. Returns whether the connection stays open. */
static bool serve_request(struct connection *connection)
{
    const struct server *server = connection->server;
    switch (http_read_head(&connection->reader, &connection->request)) {
    case HTTP_END:
        return false;
    case HTTP_BROKEN:
        return send_broken(connection);
    case HTTP_READ:
        break;
    }
    /* The authority comes from the client, and htu is compared with it: it has to be this server's. */
    if (!tls_server_is_named(&server->tls, connection->request.authority))
        return send_last(connection, 421, "", "the host is not this server");
    struct verdict verdict =
        authorise(&connection->request, &server->policy, &connection->client, &connection->bindings);
    bool open = serve_judged(connection, &verdict);
    token_free(&verdict.token);
    return open;
}

void connection_serve(const struct server *server, int socket)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return;
    connection->server = server;
    const char *reason = tls_accept(&server->tls, socket, &connection->session, &connection->client);
    if (reason != NULL) {
        fprintf(stderr, "sidecar: no session: %s\n", reason);
    } else {
        bool open = true;
        http_start(&connection->reader, connection->session);
        while (open) {
            open = serve_request(connection);
            http_request_free(&connection->request);
        }
        gnutls_bye(connection->session, GNUTLS_SHUT_WR);
    }
    tls_close(connection->session, &connection->client);
    free(connection);
}
