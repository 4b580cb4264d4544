/*
 * Prints the records of a trace, one a line, as text or JSON. Their texts come from clients,
 * servers and workers, none of which may drive the terminal of root: all but printable ASCII
 * is escaped.
 */
#ifndef ATTLSD_GATEWAY_VIEW_TRACE_PRINT_H
#define ATTLSD_GATEWAY_VIEW_TRACE_PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "gateway/base/ctl-proto.h"

struct trace_print {
	FILE *out;
	bool json;
	const char *policy; /* the name of its file, for line numbers */
};

/* Is it a record that can be printed? sender: its process according to the kernel; 0: not visible. */
bool trace_print_check(struct answer_trace *record, pid_t sender);

/* Print one that has been checked. */
void trace_print(const struct trace_print *print, const struct answer_trace *record);

#endif
