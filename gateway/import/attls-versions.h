/* The versions of TLS that the parameters of a rule leave. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_VERSIONS_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_VERSIONS_H

#include <stdbool.h>

#include "gateway/import/attls-merge.h"
#include "gateway/import/draft.h"

struct attls_versions {
	struct statement *given[2]; /* TLSv1.2 and TLSv1.3; NULL: not in the file */
	bool off[2];		    /* the same versions */
	bool suite_b;
};

/* Which versions the parameters leave. Without one, attlsd has both. */
void attls_versions_find(struct attls_versions *versions, const struct attls_merged *merged);

/* Account for ClientExtendedMasterSecret and ServerExtendedMasterSecret, which matter to TLS 1.2. */
void attls_versions_secret(const struct attls_versions *versions, struct draft *draft,
			   struct draft_object *tls, struct statement *st, bool client);

/* Account for their statements, after those of the ciphers. */
void attls_versions_finish(const struct attls_versions *versions, struct draft *draft,
			   struct draft_object *tls);

#endif
