#include "replay.h"

#include <gnutls/crypto.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGEST = 32, BUCKETS = 1 << 14, MOST = 1 << 18 };

/* A digest instead of the text: the client chooses how long a jti is. */
struct use {
    struct use *next;
    double until;
    unsigned char digest[DIGEST];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct use *buckets[BUCKETS];
static size_t uses;

static bool digest_of(const char *ath, const char *jti, unsigned char *digest)
{
    char *text = NULL;
    /* ath has a fixed length, so that no two pairs give the same text. */
    int length = asprintf(&text, "%s%s", ath, jti);
    if (length < 0)
        return false;
    bool made = gnutls_hash_fast(GNUTLS_DIG_SHA256, text, (size_t)length, digest) == GNUTLS_E_SUCCESS;
    free(text);
    return made;
}

static void forget_expired(struct use **link, double now)
{
    while (*link != NULL) {
        struct use *use = *link;
        if (use->until > now) {
            link = &use->next;
        } else {
            *link = use->next;
            free(use);
            uses--;
        }
    }
}

bool replay_record(const char *ath, const char *jti, double until)
{
    unsigned char digest[DIGEST];
    if (!digest_of(ath, jti, digest))
        return false;
    bool first = false;
    pthread_mutex_lock(&lock);
    struct use **bucket = &buckets[(digest[0] << 8 | digest[1]) % BUCKETS];
    const double now = (double)time(NULL);
    forget_expired(bucket, now);
    if (uses == MOST) {
        for (size_t i = 0; i < BUCKETS; i++)
            forget_expired(&buckets[i], now);
    }
    struct use *use = *bucket;
    while (use != NULL && memcmp(use->digest, digest, DIGEST) != 0)
        use = use->next;
    /* A full store refuses: to forget a use would be to let it be repeated. */
    if (use == NULL && uses < MOST && (use = malloc(sizeof *use)) != NULL) {
        *use = (struct use){ .next = *bucket, .until = until };
        memcpy(use->digest, digest, DIGEST);
        *bucket = use;
        uses++;
        first = true;
    }
    pthread_mutex_unlock(&lock);
    return first;
}

void replay_free(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        forget_expired(&buckets[i], INFINITY);
}
