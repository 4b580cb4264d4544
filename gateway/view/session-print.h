/* The sessions of a running attlsd as text. */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_PRINT_H
#define ATTLSD_GATEWAY_VIEW_SESSION_PRINT_H

#include <stdio.h>

#include "gateway/view/client-answers.h"

/* A table with a row for each, which fits into the terminal or into 100 columns, if addresses are not too
 * long. */
void client_print_sessions(const struct answers *answers, FILE *out);

/* All that is known of each. */
void client_print_details(const struct answers *answers, FILE *out);

#endif
