/* HTTP/1.1 requests, read from a TLS session by llhttp, in two steps: the head, on which the request is judged,
 * and the body, which is asked for only afterwards. */
#ifndef HTTP_H
#define HTTP_H

#include <gnutls/gnutls.h>
#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

enum { HEAD_SIZE = 64 * 1024, MOST_FIELDS = 100, BODY_SIZE = 256 * 1024 };

struct field {
    const char *name;
    const char *value;
};

struct request {
    const char *method;
    const char *target;
    const char *authority;
    char *path; /* of the target, without the query */
    struct field fields[MOST_FIELDS];
    size_t field_count;
    bool keep_alive;
    bool expects_continue;
    char *body;
    size_t body_size;
};

struct http_reader {
    gnutls_session_t session;
    llhttp_settings_t settings;
    llhttp_t parser;
    struct request *request; /* what is being read */
    bool in_trailer, discards_body;
    unsigned status;         /* what a request that cannot be read is answered with */
    long long deadline_ms;
    char head[HEAD_SIZE];    /* the texts of the request, one NUL after each */
    size_t head_used, text_start;
    char input[16 * 1024];   /* octets that the parser has not seen yet */
    size_t input_start, input_end;
};

enum http_result { HTTP_READ, HTTP_END, HTTP_BROKEN };

void http_start(struct http_reader *reader, gnutls_session_t session);

/* HTTP_BROKEN: `reader->status` says how to answer, after which the connection has to end. */
enum http_result http_read_head(struct http_reader *reader, struct request *request);
enum http_result http_read_body(struct http_reader *reader, struct request *request, bool discard);

/* Reads on for a moment after the last answer, so that the client sees it before it sees the end of the connection. */
void http_drain(struct http_reader *reader);

void http_request_free(struct request *request);

/* How many fields have this name; `value` is the last one's. Names have no letter case (RFC 9110 §5.1). */
size_t http_field(const struct request *request, const char *name, const char **value);

#endif
