/* The servers of backends that have several, as the monitor keeps them: `attlsctl backend` and `status`. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_BACKENDS_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_BACKENDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/view/client-target.h"

struct answers; /* client-answers.h */

/* "up" and the like; state: enum answer_backend_state. */
const char *client_backends_state(uint32_t state);

/* A table of the servers of one backend, or of all (NULL). */
void client_backends_print(const struct answers *answers, const char *backend, FILE *out);

/* The same as a list, or NULL: no memory. */
json_t *client_backends_json(const struct answers *answers, const char *backend);

/* Ask for those of one backend, or of all (NULL), and list them. Returns 0; or -1 after saying why not, also
 * if there are none.
 */
int client_backends_show(const struct target *target, const char *backend, bool json);

#endif
