/* The directives of a proftpd.conf, in their order. */
#ifndef ATTLSD_GATEWAY_IMPORT_PROFTPD_FILE_H
#define ATTLSD_GATEWAY_IMPORT_PROFTPD_FILE_H

#include <stdbool.h>

#include "gateway/import/draft.h"

struct proftpd_directive {
	struct statement st;
	bool of_host; /* in a virtual host */
	bool applies; /* to the main server */
	bool global;  /* in <Global> */
	struct proftpd_directive *next;
};

struct proftpd_file {
	struct proftpd_directive *first;
};

/* Faults are diagnostics of the source. */
void proftpd_parse(struct draft *draft, struct source *source, struct proftpd_file *ret);

/*
 * The line that counts for the main server; its own lines count before those of <Global>. For most
 * directives, ProFTPD takes the first of several lines.
 */
const struct proftpd_directive *proftpd_find(const struct proftpd_file *file, const char *keyword, bool last);

/* Does it depend on the client's address? Behind attlsd, ProFTPD only sees that of attlsd. */
bool proftpd_is_by_address(const struct statement *st);

/* A value such as "10min", in seconds. */
void proftpd_duration(struct arena *arena, struct statement *st);

#endif
