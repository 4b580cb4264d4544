/* attlsctl explain. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_COMMAND_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_COMMAND_H

#include <stdbool.h>

#include "gateway/ctl/explain-samples.h"

/*
 * Explain what happens to the clients that the question describes, or what changes for them with the
 * other policy. Returns the exit status, after printing what went wrong to stderr.
 */
int explain_command(const char *path, const char *own, const struct explain_question *question, bool json);

#endif
