/*
 * Removes from the lists of a policy with fips140 what FIPS 140 does not approve. System SSL
 * does not use it either, but an error of the policy would stop attlsd. fips140 is for all of
 * attlsd, so this is done at the end, and for each action.
 */
#include "gateway/import/zos-fips.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

static void filter(struct draft *draft, struct draft_object *tls, const char *key)
{
	const char *list = draft_get(tls, key), *kept = NULL, *out = "";

	if (list == NULL)
		return;
	for (const char *at = list + 1; *at != '\0' && *at != ']';) {
		size_t len = strcspn(at, ",]");
		const char *name = text_copy(&draft->arena, at, len);

		if (cipher_fips_approves(name))
			kept = tls_parts_append(draft, kept, name);
		else
			out = text_join(&draft->arena, out, ", ", name);
		at += len;
		at += strspn(at, ", ");
	}
	if (out[0] == '\0')
		return;
	draft_set(draft, tls, key, kept);
	draft_differ(draft, draft_assumed(draft, "FIPS140", "On"), (struct draft_place){ tls, key, kept },
		     "left out: %s, which FIPS 140 does not approve", out);
}

void zos_fips_finish(struct draft *draft)
{
	static const char *const lists[] = { "ciphers", "ciphersuites", "groups", "signature_algorithms" };

	const struct draft_object *daemon = draft_find(draft, DRAFT_DAEMON, "");

	if (daemon == NULL || draft_get(daemon, "fips140") == NULL)
		return;
	for (struct draft_object *tls = draft->sections[DRAFT_TLS_ACTIONS]; tls != NULL; tls = tls->next)
		for (size_t i = 0; i < NELEM(lists); i++)
			filter(draft, tls, lists[i]);
}
