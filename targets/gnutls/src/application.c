/* The application behind the sidecar. It knows nothing of TLS, tokens or proofs: who is calling, and what for, stands
 * in the X-Verified-… fields, which it believes because only the sidecar can reach its socket. */
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static json_int_t counter;

static bool is_below(const char *url, const char *path)
{
    size_t length = strlen(path);
    return strncmp(url, path, length) == 0 && (url[length] == '\0' || url[length] == '/');
}

static json_int_t count(const char *method)
{
    pthread_mutex_lock(&lock);
    json_int_t value = strcmp(method, "POST") == 0 ? ++counter : counter;
    pthread_mutex_unlock(&lock);
    return value;
}

/* One of the words that the scope consists of (RFC 6749 §3.3). */
static bool has_scope(const char *scope, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *word = scope; *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        if (size == length && strncmp(word, wanted, length) == 0)
            return true;
        word += size;
    }
    return false;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, json_t *value, const char *challenge)
{
    char *text = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    if (text == NULL)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (challenge != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result serve(struct MHD_Connection *connection, const char *url, const char *method,
                             const char *subject, const char *scope)
{
    if (is_below(url, "/resource/scoped") && !has_scope(scope, "tsbt.scoped"))
        return answer(connection, MHD_HTTP_FORBIDDEN, json_pack("{s:s}", "error", "insufficient_scope"),
                      "Bearer realm=\"application\", error=\"insufficient_scope\", "
                      "error_description=\"this needs another scope\", scope=\"tsbt.scoped\"");
    if (strcmp(url, "/resource/counter") == 0)
        return answer(connection, MHD_HTTP_OK, json_pack("{s:s, s:I}", "sub", subject, "count", count(method)), NULL);
    if (is_below(url, "/resource"))
        return answer(connection, MHD_HTTP_OK, json_pack("{s:s}", "sub", subject), NULL);
    return answer(connection, MHD_HTTP_NOT_FOUND, json_pack("{s:s}", "error", "there is nothing here"), NULL);
}

/* Undoes the percent-encoding of a field that the sidecar wrote. NULL where there is no such field. */
static char *verified(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    char *text = value == NULL ? NULL : strdup(value);
    if (text != NULL)
        MHD_http_unescape(text);
    return text;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *body, size_t *body_size, void **state)
{
    static char begun;
    (void)context, (void)version, (void)body;
    if (*state == NULL) { /* the head: the body is read first */
        *state = &begun;
        return MHD_YES;
    }
    if (*body_size > 0) {
        *body_size = 0;
        return MHD_YES;
    }
    char *subject = verified(connection, "X-Verified-Subject"), *scope = verified(connection, "X-Verified-Scope");
    enum MHD_Result result = MHD_NO;
    if (subject != NULL && scope != NULL)
        result = serve(connection, url, method, subject, scope);
    free(subject);
    free(scope);
    return result;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    umask(077);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener >= 0 &&
        (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0)) {
        close(listener);
        return -1;
    }
    return listener;
}

int main(int argc, char **argv)
{
    sigset_t ends;
    int signal, listener = argc == 2 ? listen_at(argv[1]) : -1;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (listener < 0) {
        fprintf(stderr, "usage: application SOCKET\n");
        return EXIT_FAILURE;
    }
    json_object_seed(0);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL,
                                                 MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_END);
    if (daemon == NULL)
        return EXIT_FAILURE;
    sigwait(&ends, &signal);
    MHD_stop_daemon(daemon);
    unlink(argv[1]);
    return EXIT_SUCCESS;
}
