/*
 * An explanation as text.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_PRINT_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_PRINT_H

#include <stdio.h>

struct json_t;

/* Print the result of explain_make() for people. */
void explain_print(const struct json_t *explanation, FILE *out);

#endif
