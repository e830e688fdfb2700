#include "upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 20, LARGEST_RESPONSE = 4 * 1024 * 1024 };

/* What the sidecar says about the caller. The application believes these fields, since nobody else can write them. */
#define VERIFIED_PREFIX "X-Verified-"
#define VERIFIED_SUBJECT VERIFIED_PREFIX "Subject"
#define VERIFIED_SCOPE VERIFIED_PREFIX "Scope"

/* Fields of a client that end here, each as a whole name or, with a final hyphen, as the beginning of one: the
 * fields of this hop (RFC 9110 §7.6.1), the credentials, of which the application has no need, and every field in
 * which an application or its framework might look for who is calling (draft -06 §5.1). */
static const char *const STRIPPED[] = {
    "connection", "keep-alive", "proxy-", "te", "trailer", "transfer-encoding", "upgrade", "expect",
    "content-length", "host", "authorization", "session-binding-proof", "dpop", "x-verified-", "x-forwarded-",
    "forwarded", "x-real-", "client-cert", "client-cert-", "x-client-", "x-ssl-", "ssl-", "x-tls-",
    "tls-exporter", "x-arr-", "x-auth-", "x-authenticated-", "x-user", "x-user-", "x-remote-", "remote-",
};

/* CGI and its heirs read X_Verified_Subject as X-Verified-Subject: an underscore counts as a hyphen here. */
static bool matches(const char *name, const char *pattern)
{
    size_t length = strlen(pattern);
    for (size_t i = 0; i < length; i++) {
        char character = name[i] == '_' ? '-' : name[i];
        if (character >= 'A' && character <= 'Z')
            character += 'a' - 'A';
        if (character != pattern[i])
            return false;
    }
    return pattern[length - 1] == '-' || name[length] == '\0';
}

/* Whether a Connection field names this field, which then is of the client's hop only (RFC 9110 §7.6.1). */
static bool is_listed(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (strcasecmp(request->fields[i].name, "connection") != 0)
            continue;
        for (const char *item = request->fields[i].value; *item != '\0';) {
            item += strspn(item, ", \t");
            size_t length = strcspn(item, ", \t");
            if (length == strlen(name) && strncasecmp(item, name, length) == 0)
                return true;
            item += length;
        }
    }
    return false;
}

static bool is_stripped(const struct request *request, const char *name)
{
    for (size_t i = 0; i < sizeof STRIPPED / sizeof *STRIPPED; i++) {
        if (matches(name, STRIPPED[i]))
            return true;
    }
    return is_listed(request, name);
}

/* A claim is any text, and a field is not: all but letters, digits, "-", "." and "_" is percent-encoded, which
 * leaves nothing that could end the field or begin another. */
static void write_claim(FILE *stream, const char *field, const char *claim)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    fprintf(stream, "%s: ", field);
    for (; *claim != '\0'; claim++)
        fprintf(stream, strchr(PLAIN, *claim) != NULL ? "%c" : "%%%02X", (unsigned char)*claim);
    fputs("\r\n", stream);
}

static char *compose(const struct request *request, const struct token *token, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", request->method, request->target,
            request->authority);
    for (size_t i = 0; i < request->field_count; i++) {
        if (!is_stripped(request, request->fields[i].name))
            fprintf(stream, "%s: %s\r\n", request->fields[i].name, request->fields[i].value);
    }
    write_claim(stream, VERIFIED_SUBJECT, token->subject);
    write_claim(stream, VERIFIED_SCOPE, token->scope);
    fprintf(stream, "Content-Length: %zu\r\n\r\n", request->body_size);
    if (request->body_size > 0)
        fwrite(request->body, 1, request->body_size, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

static int connect_to(const char *socket_path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { PATIENCE_S, 0 };
    if (strlen(socket_path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, socket_path);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        connect(connection, (struct sockaddr *)&address, sizeof address) == 0)
        return connection;
    close(connection);
    return -1;
}

static bool send_all(int connection, const char *octets, size_t size)
{
    while (size > 0) {
        ssize_t count = send(connection, octets, size, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        octets += count;
        size -= (size_t)count;
    }
    return true;
}

/* All until the application closes, as it was asked to. */
static char *receive_all(int connection, size_t *size)
{
    size_t room = 8192;
    char *octets = malloc(room);
    *size = 0;
    while (octets != NULL) {
        ssize_t count = recv(connection, octets + *size, room - *size, 0);
        if (count == 0)
            return octets;
        *size += count > 0 ? (size_t)count : 0;
        if (count < 0 || *size == LARGEST_RESPONSE)
            break;
        if (*size == room) {
            char *larger = realloc(octets, room *= 2);
            if (larger == NULL)
                break;
            octets = larger;
        }
    }
    free(octets);
    return NULL;
}

/* Fields of the application's hop; the sidecar writes its own. */
static bool is_of_the_hop(const char *name)
{
    static const char *const NAMES[] = { "connection", "keep-alive", "transfer-encoding", "content-length",
                                         "trailer", "upgrade", "date" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcasecmp(name, NAMES[i]) == 0)
            return true;
    }
    return false;
}

/* An answer while it is parsed. */
struct reading {
    struct response *response;
    FILE *fields, *body;
    char name[256], value[8192];
    size_t name_size, value_size;
    bool to_head, complete;
};

static int add(char *text, size_t room, size_t *size, const char *more, size_t length)
{
    if (length >= room - *size)
        return HPE_USER;
    memcpy(text + *size, more, length);
    *size += length;
    text[*size] = '\0';
    return 0;
}

static int add_name(llhttp_t *parser, const char *text, size_t length)
{
    struct reading *reading = parser->data;
    return add(reading->name, sizeof reading->name, &reading->name_size, text, length);
}

static int add_value(llhttp_t *parser, const char *text, size_t length)
{
    struct reading *reading = parser->data;
    return add(reading->value, sizeof reading->value, &reading->value_size, text, length);
}

static int end_field(llhttp_t *parser)
{
    struct reading *reading = parser->data;
    if (!is_of_the_hop(reading->name))
        fprintf(reading->fields, "%s: %s\r\n", reading->name, reading->value);
    reading->name_size = reading->value_size = 0;
    reading->name[0] = reading->value[0] = '\0';
    return 0;
}

/* 1: there is no body, whatever the fields say (RFC 9112 §6.3). */
static int end_head(llhttp_t *parser)
{
    struct reading *reading = parser->data;
    reading->response->status = (unsigned)llhttp_get_status_code(parser);
    return reading->to_head ? 1 : 0;
}

static int add_body(llhttp_t *parser, const char *octets, size_t length)
{
    struct reading *reading = parser->data;
    return fwrite(octets, 1, length, reading->body) == length ? 0 : HPE_USER;
}

static int end_message(llhttp_t *parser)
{
    ((struct reading *)parser->data)->complete = true;
    return 0;
}

static bool parse(struct reading *reading, const char *octets, size_t size)
{
    llhttp_settings_t settings;
    llhttp_t parser;
    llhttp_settings_init(&settings);
    settings.on_header_field = add_name;
    settings.on_header_value = add_value;
    settings.on_header_value_complete = end_field;
    settings.on_headers_complete = end_head;
    settings.on_body = add_body;
    settings.on_message_complete = end_message;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = reading;
    if (llhttp_execute(&parser, octets, size) != HPE_OK || llhttp_finish(&parser) != HPE_OK)
        return false;
    /* 1xx cannot come: Expect is stripped, and no protocol is switched. */
    return reading->complete && reading->response->status >= 200;
}

static bool read_response(const char *octets, size_t size, const struct request *request, struct response *response)
{
    struct reading reading = { .response = response, .to_head = strcmp(request->method, "HEAD") == 0 };
    size_t fields_size = 0;
    reading.fields = open_memstream(&response->fields, &fields_size);
    reading.body = open_memstream(&response->body, &response->body_size);
    bool read = reading.fields != NULL && reading.body != NULL && parse(&reading, octets, size);
    if (reading.fields != NULL && fclose(reading.fields) != 0)
        read = false;
    if (reading.body != NULL && fclose(reading.body) != 0)
        read = false;
    return read;
}

bool upstream_ask(const char *socket_path, const struct request *request, const struct token *token,
                  struct response *response)
{
    memset(response, 0, sizeof *response);
    size_t size = 0;
    char *question = compose(request, token, &size), *answer = NULL;
    int connection = connect_to(socket_path);
    if (question != NULL && connection >= 0 && send_all(connection, question, size))
        answer = receive_all(connection, &size);
    bool read = answer != NULL && read_response(answer, size, request, response);
    if (connection >= 0)
        close(connection);
    free(question);
    free(answer);
    return read;
}

void upstream_free(struct response *response)
{
    free(response->fields);
    free(response->body);
}
