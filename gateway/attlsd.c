/*
 * attlsd: parses the command line, then checks the policy (-n) or runs the monitor.
 * attlsd terminates TLS, by policy, in front of FTP servers that have none.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/host/inherited.h"
#include "gateway/host/program.h"
#include "gateway/monitor/monitor.h"
#include "gateway/tls/policy-check.h"

static const char default_policy[] = "/etc/attlsd/policy.yaml";

/* Where everybody looks for them. */
static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: attlsd [-n] [-f policy.yaml] [-N node.yaml]\n"
		      "       attlsd -h | -V\n"
		      "  -f FILE  the policy (default %s)\n"
		      "  -N FILE  what only this gateway has, of several with the same policy\n"
		      "  -n       check it and exit: 0, or 1 with all errors\n"
		      "  -h       this text, also --help\n"
		      "  -V       the version, also --version\n",
		      default_policy);
}

/* Returns 0 if attlsd could serve the policy, or 1 after printing all faults to stderr. */
static int check_policy(const char *path, const char *own)
{
	struct diags diags;
	int r = policy_check(path, own, &diags);

	diags_print(&diags, stderr);
	if (r < 0 && diags.nerrors > 0)
		(void)fprintf(stderr, "%zu error%s\n", diags.nerrors, diags.nerrors == 1 ? "" : "s");
	diags_done(&diags);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *policy = default_policy, *own = NULL;
	bool check = false;
	int option;
	static struct inherited inherited;
	static struct program program;
	int r = inherited_reset(&inherited);

	if (r < 0) { /* if descriptor 2 is the closed one, only the status shows it */
		(void)fprintf(stderr, "attlsd: cannot use the descriptors that it was started with: %s\n",
			      strerror(-r));
		return EXIT_FAILURE;
	}

	while ((option = getopt_long(argc, argv, "f:N:nhV", long_options, NULL)) != -1) {
		switch (option) {
		case 'f':
			policy = optarg;
			break;
		case 'N':
			own = optarg;
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
	if (check)
		return check_policy(policy, own);
	program_remember(&program, argv);
	return monitor_run(policy, own, &program, &inherited);
}
