/* Starts the program that is to replace this attlsd. upgrade.c decides when. */
#ifndef ATTLSD_GATEWAY_MONITOR_UPGRADE_START_H
#define ATTLSD_GATEWAY_MONITOR_UPGRADE_START_H

#include <sys/types.h>

#include "gateway/host/program.h"

/*
 * Execute the program with `link` as its descriptor 3. Returns the pid of a process that is its
 * parent, so that it can be given away: it ends as the program does, see below, or with this process, and the
 * program dies with it unless it wants to outlive it. Or a negative errno.
 */
pid_t upgrade_start(const struct program *program, int link);

/* The program was killed by this signal: the exit status of its parent is the signal more than this. */
#define UPGRADE_EXIT_SIGNAL 128
/* It could not be executed; it has said why through the link. */
#define UPGRADE_EXIT_NOT_EXECUTED 126

#endif
