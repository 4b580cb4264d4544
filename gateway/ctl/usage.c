/*
 * Reports wrong usage of attlsctl: one line on stderr, and an exit status of its
 * own, so that a script can tell it from a fault in the policy.
 */
#include "gateway/ctl/usage.h"

#include <stdio.h>

int usage_fault(const char *what, const char *which)
{
	(void)fprintf(stderr, "attlsctl: %s%s%s\n", what, which[0] != '\0' ? " " : "", which);
	return EXIT_USAGE;
}
