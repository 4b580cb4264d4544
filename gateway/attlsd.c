/*
 * attlsd: TLS by policy in front of FTP servers that speak none.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/monitor.h"

static const char default_policy[] = "/etc/attlsd/policy.yaml";

static void usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: attlsd [-n] [-f policy.yaml]\n"
		      "       attlsd -h | -V\n"
		      "  -f FILE  the policy (default %s)\n"
		      "  -n       check it and exit: 0, or 1 with all errors\n"
		      "  -h       this text\n"
		      "  -V       the version\n",
		      default_policy);
}

int main(int argc, char **argv)
{
	const char *policy = default_policy;
	bool check = false;
	int option;

	while ((option = getopt(argc, argv, "f:nhV")) != -1) {
		switch (option) {
		case 'f':
			policy = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)printf("attlsd %s\n", ATTLSD_VERSION);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "attlsd: unexpected argument \"%s\"\n", argv[optind]);
		usage(stderr);
		return 2;
	}
	return check ? monitor_check(policy) : monitor_run(policy);
}
