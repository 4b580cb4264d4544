/* JSON as text. */
#ifndef ATTLSD_GATEWAY_VIEW_JSON_PRINT_H
#define ATTLSD_GATEWAY_VIEW_JSON_PRINT_H

#include <stdio.h>

struct json_t;

/* Print the value with a newline, and free it. Returns 0, or -1: it is NULL (no memory), or `out` has an
 * error. */
int json_print(struct json_t *json, FILE *out);

#endif
