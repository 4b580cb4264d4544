/* A file that is memory only. */
#ifndef ATTLSD_GATEWAY_BASE_MEMORY_FILE_H
#define ATTLSD_GATEWAY_BASE_MEMORY_FILE_H

/*
 * An empty one that can be sealed (F_ADD_SEALS) and never be executed; /proc shows the name.
 * Returns a descriptor, which exec() closes, or a negative errno.
 */
int memory_file(const char *name);

#endif
