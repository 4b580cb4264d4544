/* Parts of what the JSON of a running attlsd's answers has in common. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_JSON_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/ip.h"

struct answers; /* client-answers.h */

/* Each returns a new value, or NULL: no memory. */
json_t *client_json_text(const char *text); /* escaped */
json_t *client_json_seconds(uint64_t ms);
json_t *client_json_endpoint(const struct ip_endpoint *endpoint); /* null: port 0 */

/* json, or null in its place if there is no such value. */
json_t *client_json_or_null(bool there, json_t *json);

/* The pids of workers that may have more than they reported. */
json_t *client_json_silent(const struct answers *answers);

#endif
