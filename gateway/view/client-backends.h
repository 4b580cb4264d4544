/* The servers of backends, as the monitor keeps them: `attlsctl backend`. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_BACKENDS_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_BACKENDS_H

#include <stdbool.h>

#include "gateway/view/client-target.h"

/* List those of one backend, or of all (NULL). Returns 0; or -1 after saying why not, also if there are none.
 */
int client_backends_show(const struct target *target, const char *backend, bool json);

#endif
