/* Which jti were used with which access token, on all connections (draft -06 §2.3.2.2). */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>

/* Records one use until the token expires; false where it is not the first, or no more can be recorded.
 * One step, so that of two requests at once one loses. */
bool replay_record(const char *ath, const char *jti, double until);

void replay_free(void);

#endif
