/* The words for `access`, `per_user` and the answers about a path, for explain-print.c and explain-diff.c. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_WORDS_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define EXPLAIN_WORDS_MAX 512

/* An entry of `access`: its path, its verbs and whom it lets in. */
void explain_access_words(json_t *entry, FILE *out);

/* An entry of `per_user`: its users and their levels. */
void explain_per_user_words(json_t *entry, FILE *out);

/* One of the clients that a path was asked about. */
void explain_client_words(const json_t *client, char buf[static EXPLAIN_WORDS_MAX]);

/* What becomes of a command about the path; with the line of the entry that refuses it, or without. */
void explain_outcome_words(const json_t *answer, bool with_line, char buf[static EXPLAIN_WORDS_MAX]);

#endif
