/* A sidecar that verifies TLS-session-bound access tokens for the application behind it (draft -06 §5.1). */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "replay.h"
#include "settings.h"

enum { MOST_CONNECTIONS = 400, STACK_SIZE = 1024 * 1024, SEND_PATIENCE_S = 30, FAREWELL_S = 3 };

static struct server server;

/* The sockets of the connections there are; -1 is a free place. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int sockets[MOST_CONNECTIONS];
    unsigned count;
} connections = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };

static void *serve(void *place)
{
    int *socket = place;
    connection_serve(&server, *socket);
    pthread_mutex_lock(&connections.lock);
    close(*socket);
    *socket = -1;
    connections.count--;
    pthread_cond_signal(&connections.ended);
    pthread_mutex_unlock(&connections.lock);
    return NULL;
}

/* Starts a thread for the connection; false where there is no place for it. */
static bool start(int socket, const pthread_attr_t *attributes)
{
    pthread_t thread;
    bool started = false;
    pthread_mutex_lock(&connections.lock);
    int *place = connections.sockets, *end = place + MOST_CONNECTIONS;
    while (place < end && *place >= 0)
        place++;
    if (place < end) {
        *place = socket;
        started = pthread_create(&thread, attributes, serve, place) == 0;
        if (started)
            connections.count++;
        else
            *place = -1;
    }
    pthread_mutex_unlock(&connections.lock);
    return started;
}

static void accept_one(int listener, const pthread_attr_t *attributes)
{
    const int on = 1;
    const struct timeval patience = { SEND_PATIENCE_S, 0 };
    int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (socket < 0)
        return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (!start(socket, attributes))
        close(socket);
}

/* Ends all connections and waits for their threads. */
static void end_connections(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += FAREWELL_S;
    pthread_mutex_lock(&connections.lock);
    for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
        if (connections.sockets[i] >= 0)
            shutdown(connections.sockets[i], SHUT_RDWR);
    }
    while (connections.count > 0 &&
           pthread_cond_timedwait(&connections.ended, &connections.lock, &deadline) != ETIMEDOUT)
        continue;
    bool all_ended = connections.count == 0;
    pthread_mutex_unlock(&connections.lock);
    /* Threads that are still at work would find what is freed next. */
    if (!all_ended)
        _exit(EXIT_SUCCESS);
}

static int listen_at(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        return -1;
    const char *start = address, *end = colon;
    if (*start == '[' && end > start && end[-1] == ']') {
        start++;
        end--;
    }
    snprintf(host, sizeof host, "%.*s", (int)(end - start), start);
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return -1;
    const int on = 1;
    int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener >= 0 && (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
                          bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, 128) < 0)) {
        close(listener);
        listener = -1;
    }
    freeaddrinfo(found);
    return listener;
}

static bool load(const struct settings *settings, const char *application)
{
    const char *problem = tls_server_load(&server.tls, settings->certificate_file, settings->key_file,
                                          settings->client_ca_file);
    if (problem == NULL && !keys_load(settings->jwks_file, &server.policy.keys))
        problem = "the JWK Set of the issuer has no key that can be used";
    if (problem != NULL)
        fprintf(stderr, "sidecar: %s\n", problem);
    server.policy.issuer = settings->issuer;
    server.policy.audience = settings->audience;
    server.application = application;
    return problem == NULL;
}

/* Accepts connections until a signal asks for the end. */
static void run(int listener, int signals)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    struct pollfd waits[] = { { listener, POLLIN, 0 }, { signals, POLLIN, 0 } };
    while (waits[1].revents == 0) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        if (waits[0].revents != 0)
            accept_one(listener, &attributes);
    }
    pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv)
{
    struct settings settings;
    if (argc != 2 || !settings_read(&settings)) {
        fprintf(stderr, "usage: sidecar APPLICATION-SOCKET, with its settings in the environment\n");
        return EXIT_FAILURE;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    /* Before there are threads: the hash tables of JSON objects get a seed that no client knows. */
    json_object_seed(0);
    memset(connections.sockets, -1, sizeof connections.sockets);
    int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    if (signals < 0 || !load(&settings, argv[1]))
        return EXIT_FAILURE;
    int listener = listen_at(settings.listen);
    if (listener < 0) {
        fprintf(stderr, "sidecar: cannot listen on %s\n", settings.listen);
        return EXIT_FAILURE;
    }
    run(listener, signals);
    close(listener);
    end_connections();
    tls_server_free(&server.tls);
    keys_free(&server.policy.keys);
    replay_free();
    return EXIT_SUCCESS;
}
