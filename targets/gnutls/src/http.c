#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tls.h"

enum { IDLE_MS = 120000, REQUEST_MS = 30000, DRAIN_MS = 1000 };

static long long now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int fail(llhttp_t *parser, unsigned status)
{
    ((struct http_reader *)parser->data)->status = status;
    return HPE_USER;
}

/* Appends to the text that is being read. llhttp lets no control characters through; a NUL would end the text for
 * one reader and not for another, so that this is made sure of here. */
static int add_text(llhttp_t *parser, const char *text, size_t length)
{
    struct http_reader *reader = parser->data;
    if (length >= HEAD_SIZE - reader->head_used)
        return fail(parser, 431);
    if (memchr(text, '\0', length) != NULL)
        return fail(parser, 400);
    memcpy(reader->head + reader->head_used, text, length);
    reader->head_used += length;
    return 0;
}

static char *end_text(struct http_reader *reader)
{
    char *text = reader->head + reader->text_start;
    reader->head[reader->head_used++] = '\0';
    reader->text_start = reader->head_used;
    return text;
}

static bool has_room(const struct http_reader *reader)
{
    return reader->head_used < HEAD_SIZE - 1;
}

static int end_target(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    if (!has_room(reader))
        return fail(parser, 431);
    reader->request->target = end_text(reader);
    return 0;
}

static int end_name(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    struct request *request = reader->request;
    if (!has_room(reader) || request->field_count == MOST_FIELDS)
        return fail(parser, 431);
    request->fields[request->field_count].name = end_text(reader);
    return 0;
}

/* White space around a value is not part of it (RFC 9110 §5.5). */
static int end_value(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    struct request *request = reader->request;
    if (!has_room(reader))
        return fail(parser, 431);
    char *value = end_text(reader);
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        value[--length] = '\0';
    request->fields[request->field_count].value = value;
    /* A trailer is read over: what authorises a request stands in its head. */
    if (!reader->in_trailer)
        request->field_count++;
    return 0;
}

/* The parts of the target URI (RFC 9112 §3.2, §3.3). An absolute target must name the same authority as Host. */
static bool read_target(struct request *request)
{
    static const char SCHEME[] = "https://";
    const char *host = NULL;
    if (http_field(request, "host", &host) != 1)
        return false;
    request->authority = host;
    if (strncasecmp(request->target, SCHEME, sizeof SCHEME - 1) == 0) {
        const char *rest = request->target + sizeof SCHEME - 1;
        size_t length = strcspn(rest, "/?");
        if (length != strlen(host) || strncasecmp(rest, host, length) != 0 || rest[length] != '/')
            return false;
        request->target = rest + length;
    }
    if (request->target[0] != '/')
        return false;
    request->path = strndup(request->target, strcspn(request->target, "?"));
    return request->path != NULL;
}

static int end_head(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    struct request *request = reader->request;
    const char *expect = NULL, *ignored = NULL;
    bool is_1_1 = llhttp_get_http_major(parser) == 1 && llhttp_get_http_minor(parser) == 1;
    bool is_1_0 = llhttp_get_http_major(parser) == 1 && llhttp_get_http_minor(parser) == 0;
    /* HTTP/1.0 knows no transfer codings: hops could disagree on where such a body ends (RFC 9112 §6.1). */
    if (!(is_1_1 || (is_1_0 && http_field(request, "transfer-encoding", &ignored) == 0)))
        return fail(parser, 400);
    request->method = llhttp_method_name(llhttp_get_method(parser));
    if (llhttp_get_method(parser) == HTTP_CONNECT || !read_target(request))
        return fail(parser, 400);
    request->keep_alive = is_1_1 && llhttp_should_keep_alive(parser);
    if (http_field(request, "expect", &expect) > 0) {
        if (strcasecmp(expect, "100-continue") != 0)
            return fail(parser, 417);
        request->expects_continue = is_1_1;
    }
    reader->in_trailer = true;
    return HPE_PAUSED;
}

static int add_body(llhttp_t *parser, const char *octets, size_t length)
{
    struct http_reader *reader = parser->data;
    struct request *request = reader->request;
    if (length > BODY_SIZE - request->body_size)
        return fail(parser, 413);
    if (!reader->discards_body) {
        char *body = realloc(request->body, request->body_size + length);
        if (body == NULL)
            return fail(parser, 413);
        memcpy(body + request->body_size, octets, length);
        request->body = body;
    }
    request->body_size += length;
    return 0;
}

static int end_message(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

void http_start(struct http_reader *reader, gnutls_session_t session)
{
    reader->session = session;
    reader->input_start = reader->input_end = 0;
    llhttp_settings_init(&reader->settings);
    reader->settings.on_url = reader->settings.on_header_field = reader->settings.on_header_value = add_text;
    reader->settings.on_url_complete = end_target;
    reader->settings.on_header_field_complete = end_name;
    reader->settings.on_header_value_complete = end_value;
    reader->settings.on_headers_complete = end_head;
    reader->settings.on_body = add_body;
    reader->settings.on_message_complete = end_message;
}

/* Fills the input; the client has until the deadline. */
static ssize_t fill(struct http_reader *reader)
{
    long long left = reader->deadline_ms - now_ms();
    if (left <= 0)
        return -1;
    ssize_t count = tls_read(reader->session, reader->input, sizeof reader->input, (unsigned)left);
    reader->input_start = 0;
    reader->input_end = count > 0 ? (size_t)count : 0;
    return count;
}

/* Parses on to the next pause: the end of the head, or that of the body. */
static enum http_result parse(struct http_reader *reader)
{
    for (;;) {
        /* Without octets too: where there is no body, the parser gets from one pause to the next without reading. */
        const char *start = reader->input + reader->input_start;
        llhttp_errno_t error = llhttp_execute(&reader->parser, start, reader->input_end - reader->input_start);
        if (error == HPE_PAUSED) {
            reader->input_start = (size_t)(llhttp_get_error_pos(&reader->parser) - reader->input);
            return HTTP_READ;
        }
        if (error != HPE_OK) {
            if (reader->status == 0)
                reader->status = 400;
            return HTTP_BROKEN;
        }
        if (fill(reader) <= 0)
            return HTTP_END;
    }
}

enum http_result http_read_head(struct http_reader *reader, struct request *request)
{
    memset(request, 0, sizeof *request);
    /* A parser of its own for each message: nothing of one reaches into the next. */
    llhttp_init(&reader->parser, HTTP_REQUEST, &reader->settings);
    reader->parser.data = reader;
    reader->request = request;
    reader->in_trailer = false;
    reader->status = 0;
    reader->head_used = reader->text_start = 0;
    reader->deadline_ms = now_ms() + IDLE_MS;
    if (reader->input_start == reader->input_end && fill(reader) <= 0)
        return HTTP_END;
    reader->deadline_ms = now_ms() + REQUEST_MS;
    return parse(reader);
}

enum http_result http_read_body(struct http_reader *reader, struct request *request, bool discard)
{
    reader->request = request;
    reader->discards_body = discard;
    llhttp_resume(&reader->parser);
    return parse(reader);
}

void http_drain(struct http_reader *reader)
{
    gnutls_bye(reader->session, GNUTLS_SHUT_WR);
    reader->deadline_ms = now_ms() + DRAIN_MS;
    while (fill(reader) > 0)
        continue;
}

void http_request_free(struct request *request)
{
    free(request->path);
    free(request->body);
    request->path = request->body = NULL;
}

size_t http_field(const struct request *request, const char *name, const char **value)
{
    size_t count = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        if (strcasecmp(request->fields[i].name, name) == 0) {
            *value = request->fields[i].value;
            count++;
        }
    }
    return count;
}
