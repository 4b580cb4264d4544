/* Prints what is wrong with the attlsd that a command is for. */
#include "gateway/view/client-target.h"

#include <stdarg.h>
#include <stdio.h>

int client_fault(const struct target *target, const char *fmt, ...)
{
	va_list args;

	if (target->socket == NULL)
		return -1;
	(void)fprintf(stderr, "attlsctl: %s: ", target->socket);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return -1;
}
