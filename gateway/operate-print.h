/*
 * What a running attlsd has told, as tables for people or as JSON.
 */
#ifndef ATTLSD_GATEWAY_OPERATE_PRINT_H
#define ATTLSD_GATEWAY_OPERATE_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "gateway/ask.h"

/* All answers to one question. */
struct answers {
	struct answer_gateway gateway;
	struct answer_worker *workers;
	size_t nworkers;
	struct answer_session *sessions; /* by number */
	size_t nsessions;
	bool whole; /* every worker that was to answer has */
};

void operate_print_status(const struct answers *answers, FILE *out);
void operate_print_sessions(const struct answers *answers, FILE *out);

/* Return 0, or -1: no memory, or the file could not be written. */
int operate_json_status(const struct answers *answers, FILE *out);
int operate_json_sessions(const struct answers *answers, FILE *out);

#endif
