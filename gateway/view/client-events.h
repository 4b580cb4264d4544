/* Prints the warnings of a running attlsd. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_EVENTS_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_EVENTS_H

#include <jansson.h>
#include <stdio.h>

struct answers; /* client-answers.h */

void client_print_events(const struct answers *answers, FILE *out);
/* Returns 0, or -1: no memory, or the output failed. */
int client_json_events(const struct answers *answers, FILE *out);

/*
 * The list alone, oldest first, without all but the last `n`, of which no process has more than about
 * half; NULL: no memory.
 */
json_t *client_events_json(const struct answers *answers, size_t n);

#endif
