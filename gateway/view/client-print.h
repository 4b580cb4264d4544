/* Prints the answers of a running attlsd, as tables for people or as JSON. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_PRINT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_PRINT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct answer_session; /* ctl-proto.h */
struct answers;	       /* client-answers.h */

void client_print_status(const struct answers *answers, FILE *out);
void client_print_sessions(const struct answers *answers, FILE *out);

/* Return 0, or -1: no memory, or the output failed. */
int client_json_status(const struct answers *answers, FILE *out);
int client_json_sessions(const struct answers *answers, FILE *out);

/* The word for an enum answer_worker_state. */
const char *client_print_state(uint32_t state);

/* The pids of workers that did not answer as they should. */
json_t *client_json_silent(const struct answers *answers);

/* One session; NULL: no memory. */
json_t *client_json_session(const struct answers *answers, const struct answer_session *session);

#endif
