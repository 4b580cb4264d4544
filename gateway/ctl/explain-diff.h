/*
 * Which answers differ between two explanations of the same client.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_DIFF_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_DIFF_H

#include <stdio.h>

struct json_t;

/*
 * Compare two results of explain_make(); NULL: that policy has no such listener. The
 * result has the client and a list of changes, and is the caller's. NULL: no memory.
 */
struct json_t *explain_diff_make(const struct json_t *from, const struct json_t *to);

/* For people. Prints nothing if nothing changes. */
void explain_diff_print(const struct json_t *diff, FILE *out);

#endif
