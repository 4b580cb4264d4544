/* The status of a running attlsd, as tables for people or as JSON. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_PRINT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_PRINT_H

#include <stdint.h>
#include <stdio.h>

struct answers; /* client-answers.h */

void client_print_status(const struct answers *answers, FILE *out);

/* Returns 0, or -1: no memory, or the output failed. */
int client_json_status(const struct answers *answers, FILE *out);

/* The word for an enum answer_worker_state. */
const char *client_print_state(uint32_t state);

#endif
