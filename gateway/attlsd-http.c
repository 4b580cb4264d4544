/*
 * attlsd-http: shows what attlsd does, to browsers and monitoring systems. attlsd starts
 * it if the policy has daemon.http; it is of no use to anybody else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/http/http.h"

int main(int argc, char **argv)
{
	static struct http_setup setup; /* too large for the stack */
	ssize_t n;

	if (argc == 2 && strcmp(argv[1], "-V") == 0) {
		(void)printf("attlsd-http %s\n", ATTLSD_VERSION);
		return EXIT_SUCCESS;
	}
	n = read(HTTP_SETUP_FD, &setup, sizeof(setup));
	if (argc != 1 || n != (ssize_t)sizeof(setup)) {
		(void)fprintf(stderr,
			      "attlsd-http: attlsd starts this program if its policy has daemon.http; "
			      "see attlsd-http(8)\n");
		return 2;
	}
	(void)close(HTTP_SETUP_FD);
	(void)prctl(PR_SET_NAME, "attlsd-http", 0, 0, 0); /* cannot fail, and it is only a name */
	if (setup.version != CTL_VERSION) {
		(void)fprintf(stderr,
			      "attlsd-http: this is the program of another attlsd; start attlsd again\n");
		return EXIT_FAILURE;
	}
	log_setup(setup.log_level, setup.log_format);
	log_set_node(setup.node);
	return http_run(&setup);
}
