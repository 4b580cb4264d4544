/* Prints which clients would be shut out by which change of the policy, and what they do. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_REPORT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_REPORT_H

#include <stdint.h>
#include <stdio.h>

struct answers; /* client-answers.h */

/* Only what has been shown since then, in seconds since 1970. now_s: the time now. */
void client_report_print(const struct answers *answers, uint64_t since_s, uint64_t now_s, FILE *out);

/* Returns 0, or -1: no memory, or the output failed. */
int client_report_json(const struct answers *answers, uint64_t since_s, FILE *out);

#endif
