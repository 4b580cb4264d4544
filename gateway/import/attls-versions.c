/*
 * Finds the versions of TLS that the parameters of a rule leave, and says what becomes of their statements.
 */
#include "gateway/import/attls-versions.h"

#include "gateway/base/util.h"
#include "gateway/import/text.h"

#define SECRET_OF_CLIENTS                                                                                      \
	"attlsd refuses TLS 1.2 without the extended master secret only with secure_session_reuse: required. " \
	"Does a client need TLS 1.2? If not, set versions to [tls1.3]: TLS 1.3 always has it"
#define SECRET_OF_SERVERS                                                                                    \
	"attlsd accepts servers that have TLS 1.2 without the extended master secret. Does a server need "   \
	"TLS 1.2? If not, set versions to [tls1.3]: TLS 1.3 always has it"
#define NO_VERSION "AT-TLS allows neither TLS 1.2 nor 1.3 here: which partners have nothing newer?"

void attls_versions_find(struct attls_versions *versions, const struct attls_merged *merged)
{
	versions->suite_b = !text_is(attls_merged_value(merged, "SuiteBProfile", "Off"), "Off");
	versions->off[0] = !versions->suite_b && text_is(attls_merged_value(merged, "TLSv1.2", "On"), "Off");
	versions->off[1] = versions->suite_b || text_is(attls_merged_value(merged, "TLSv1.3", "On"), "Off");
	if (versions->off[0] && versions->off[1])
		versions->off[0] = versions->off[1] = false;
}

void attls_versions_secret(const struct attls_versions *versions, struct draft *draft,
			   struct draft_object *tls, struct statement *st, bool client)
{
	const struct draft_place nowhere = { .object = tls };

	if (text_begins(st->keyword, "Client") != client)
		draft_drop(draft, st, tls, "it is for the other role");
	else if (!text_is(st->value, "Required"))
		draft_drop(draft, st, tls, "attlsd uses it with each peer that has it");
	else if (versions->off[0])
		draft_drop(draft, st, tls, "TLS 1.3 always has it");
	else
		draft_decide(draft, st, nowhere, client ? SECRET_OF_SERVERS : SECRET_OF_CLIENTS,
			     "used with each peer that has it");
}

/* A version that the file does not mention is assumed to be On: releases of z/OS differ in this. */
void attls_versions_finish(const struct attls_versions *versions, struct draft *draft,
			   struct draft_object *tls)
{
	struct statement *const *given = versions->given;
	bool none = given[0] != NULL && text_is(given[0]->value, "Off") && given[1] != NULL &&
		    text_is(given[1]->value, "Off");
	bool only13 = draft_get(tls, "ciphers") == NULL && draft_get(tls, "ciphersuites") != NULL;
	bool v12 = !versions->off[0] && !only13;
	bool v13 = !versions->off[1];
	const struct draft_place place = { tls, "versions",
					   v12 == v13 ? "[tls1.2, tls1.3]"
					   : v12      ? "[tls1.2]"
						      : "[tls1.3]" };
	static const char *const names[] = { "TLSv1.2", "TLSv1.3" };

	for (size_t i = 0; i < NELEM(names); i++) {
		if (versions->suite_b)
			draft_differ(draft,
				     given[i] != NULL ? given[i] : draft_assumed(draft, names[i], "On"),
				     place, "SuiteBProfile is for TLS 1.2 only (RFC 6460)");
		else if (i == 0 && only13 && !versions->off[0])
			draft_differ(draft,
				     given[i] != NULL ? given[i] : draft_assumed(draft, names[i], "On"),
				     place, "no cipher suite of TLS 1.2 is left");
		else if (given[i] == NULL)
			draft_differ(draft, draft_assumed(draft, names[i], "On"), place,
				     "not in the file, and the default of z/OS depends on its release");
		else if (none)
			draft_decide(draft, given[i], place, NO_VERSION, "attlsd needs one of them");
		else
			draft_carry(draft, given[i], place);
	}
}
