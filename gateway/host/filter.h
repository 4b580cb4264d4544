/*
 * A system call filter as a table: each row is a call that stays allowed, with
 * tests of its arguments. Rows of one call are alternatives. Whatever no row allows
 * kills the process.
 */
#ifndef ATTLSD_GATEWAY_HOST_FILTER_H
#define ATTLSD_GATEWAY_HOST_FILTER_H

#include <stddef.h>
#include <stdint.h>

enum filter_test {
	FILTER_ANY = 0, /* not looked at */
	FILTER_IS,	/* an int with this value */
	FILTER_WITH,	/* all of these bits are set */
	FILTER_WITHOUT, /* none of these bits is set */
	FILTER_NULL,	/* a null pointer */
	FILTER_OTHER_FD /* a descriptor from FILTER_OWN_FDS on; at most one such test in a row */
};

/*
 * The first descriptors of a filtered process are its own: log, channels. No call
 * copies one of them to a number above, so a test of the number is a test of the file.
 */
#define FILTER_OWN_FDS 16

#define FILTER_ARGS_MAX 6

struct filter_row {
	int call;	  /* SCMP_SYS(...) */
	unsigned only_if; /* 0: always; otherwise a flag that filter_load() must get */
	int error;	  /* 0: allowed; otherwise the call fails with this errno */
	struct {
		enum filter_test test;
		uint64_t value;
	} args[FILTER_ARGS_MAX];
};

/*
 * Close descriptors 0 and 1, and make sure that all below FILTER_OWN_FDS are taken:
 * none of them will be a session's. Returns 0 or a negative errno.
 */
int filter_fill_own_fds(void);

/* Install the filter of these rows and of what libraries need, for good. Returns 0 or a negative errno. */
int filter_load(const struct filter_row *rows, size_t nrows, unsigned flags);

#endif
