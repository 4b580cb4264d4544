/* The file of the program that runs, which a package may replace meanwhile. */
#ifndef ATTLSD_GATEWAY_HOST_PROGRAM_H
#define ATTLSD_GATEWAY_HOST_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct program {
	char path[PATH_MAX]; /* absolute; links in it are followed when it is used */
	char *const *argv;   /* of this process; not owned */
	dev_t dev;	     /* of the file that runs */
	ino_t ino;
	struct timespec changed; /* its mtime */
};

/* Call it at the start, in the folder and with the arguments of the start. */
void program_remember(struct program *program, char *const *argv);

/*
 * The path of another program of attlsd, which is installed in the folder of the one that runs. Returns 0
 * or a negative errno.
 */
int program_beside(const char *name, char ret_path[static PATH_MAX]);

/* Has the path another file now than the one that runs? False if it has none. */
bool program_is_new(const struct program *program);

#define PROGRAM_REASON_MAX 320

/*
 * May this file be executed? Returns 0, or a negative errno and what is wrong with it: it is
 * missing, or another user than root and the own one could have changed it.
 */
int program_check(const struct program *program, char ret_reason[static PROGRAM_REASON_MAX]);

#endif
