/*
 * Which attlsd a command is for, and the one way to say what is wrong with it.
 */
#include "gateway/ctl/client-target.h"

#include <stdarg.h>
#include <stdio.h>

int client_fault(const struct target *target, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(stderr, "attlsctl: %s: ", target->socket);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return -1;
}
