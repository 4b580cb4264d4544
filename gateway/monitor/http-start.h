/* Starts the HTTP process. http-child.c decides when. */
#ifndef ATTLSD_GATEWAY_MONITOR_HTTP_START_H
#define ATTLSD_GATEWAY_MONITOR_HTTP_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/http-setup.h"

struct http_start {
	int program;	     /* of http_start_program() */
	int listener, agent; /* stay the caller's; -1: none */
	int charts;	     /* so does this */
	const struct http_setup *setup;
	bool root; /* give it an empty root and another user */
};

/* The monitor's ends. */
struct http_ends {
	int orders;    /* a socket to it, which takes descriptors; never receive from it */
	int questions; /* a pipe from it */
};

/*
 * Open the program that lies beside this one. Keep it: a program that is installed later
 * fits another attlsd. Returns a descriptor or a negative errno.
 */
int http_start_program(void);

/* Returns the process id, or a negative errno; *ret_step is the step that failed. */
pid_t http_start(const struct http_start *start, struct http_ends *ret, const char **ret_step);

#endif
