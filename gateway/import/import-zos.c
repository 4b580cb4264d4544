/*
 * The steps of an import from z/OS: parse, check, make the policy, and account for what no
 * step took. Nothing is made from files with faults.
 */
#include "gateway/import/import-zos.h"

#include <errno.h>
#include <string.h>

#include "gateway/import/attls-check.h"
#include "gateway/import/attls-match.h"
#include "gateway/import/text.h"
#include "gateway/import/zos-fips.h"
#include "gateway/import/zos-rules.h"

#define FTP_DATA_MAX 2 /* the server's and the client's */

#define OTHER_FILE   "The file names another file. Was that imported as well, with an --attls of its own?"
#define PLACE_HOLDER "EXAMPLE"
#define REUSE                                                                                                \
	"SECURE_SESSION_REUSE REQUIRED needs TLS sessions that last, but GSK_V3_SESSION_TIMEOUT is 0: how long?"

static size_t faults(const struct source *sources, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += sources[i].diags.nerrors;
	return count;
}

/* One file for each program; a file with the statements of both is for both. */
static bool assign(struct zos *zos, struct ftp_data *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ftp_data **side[] = { &zos->server, &zos->client };
		static const char *const names[] = { "server", "client" };

		for (unsigned bit = 0; bit < 2; bit++) {
			if ((data[i].sides & (1u << bit)) == 0)
				continue;
			if (*side[bit] != NULL) {
				diags_add(&data[i].source->diags, DIAG_ERROR, DIAG_IMPORT_SIDES,
					  (struct diag_mark){ 0 },
					  "%s and this file are both for the %s: import one of them",
					  (*side[bit])->source->diags.file, names[bit]);
				return false;
			}
			*side[bit] = &data[i];
		}
	}
	return true;
}

static bool is_used(const struct attls_block *block)
{
	for (const struct attls_item *item = block->items; item != NULL; item = item->next)
		if (item->st.naccounts > 0)
			return true;
	return block->head.naccounts > 0;
}

static const char *why_unused(struct draft *draft, const struct attls_block *block)
{
	struct attls_ports ports;
	bool outbound;

	if (block->replaced != NULL)
		return text_format(&draft->arena, "line %u has another of the same name, which replaces it",
				   block->replaced->head.mark.line);
	if (block->kind != ATTLS_RULE)
		return "no rule for FTP uses it";
	outbound = text_is(attls_find(block, "Direction")->st.value, "Outbound");
	attls_ports(block, outbound ? "Remote" : "Local", &ports);
	if (ports.count == 0)
		return "this rule is not for FTP";
	return text_format(&draft->arena, "this rule is not for FTP: its ports are %u%s", ports.ranges[0].low,
			   attls_ports_count(&ports) > 1 ? " and others" : "");
}

/* What nobody has taken: rules for other programs and their actions; a whole block is one account. */
static void sweep(struct draft *draft, struct attls *attls)
{
	for (struct attls_block *block = attls->blocks; block != NULL; block = block->next) {
		if (block->outer == NULL && !is_used(block)) {
			draft_drop(draft, &block->head, NULL, "%s", why_unused(draft, block));
			continue;
		}
		if (block->outer != NULL && !is_used(block))
			continue; /* a part of a block that nobody uses, or one without parameters */
		for (struct attls_item *item = block->items; item != NULL; item = item->next)
			if (item->st.naccounts == 0)
				draft_drop(draft, &item->st, NULL, "no rule for FTP uses it");
	}
	for (struct attls_item *item = attls->others; item != NULL; item = item->next) {
		if (text_is_word(item->st.keyword, "TTLSConfig CommonTTLSConfig TcpImage"))
			draft_decide(draft, &item->st, (struct draft_place){ 0 }, OTHER_FILE,
				     "attlsd has one policy");
		else
			draft_drop(draft, &item->st, NULL, "it is for Policy Agent itself");
	}
}

static void sweep_ftp_data(struct draft *draft, const struct ftp_data *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (struct ftp_data_statement *one = data[i].first; one != NULL; one = one->next)
			if (one->st.naccounts == 0)
				draft_drop(draft, &one->st, NULL, "the policy of AT-TLS decides");
}

/* verify_user and its like admit nobody without a user; this one matches no certificate. */
static void add_place_holder(struct draft *draft)
{
	struct draft_object *user = draft_object(draft, DRAFT_USERS, PLACE_HOLDER);

	draft_set(draft, user, "certificates",
		  "[{ sha256: \"0000000000000000000000000000000000000000000000000000000000000000\" }]");
}

static bool is(const struct draft_object *object, const char *key, const char *value)
{
	const char *has = object != NULL ? draft_get(object, key) : NULL;

	return has != NULL && strcmp(has, value) == 0;
}

/* A session that must be resumed has to last. */
static void give_time(struct draft *draft, struct draft_object *tls)
{
	if (is(tls, "session_timeout", "0s"))
		draft_decide(draft, draft_assumed(draft, "GSK_V3_SESSION_TIMEOUT", "0"),
			     (struct draft_place){ tls, "session_timeout", "3600s" }, REUSE,
			     "attlsd's default");
}

static void fix_reuse(struct draft *draft)
{
	const struct draft_object *ftp = draft_find(draft, DRAFT_FTP_ACTIONS, ZOS_SERVER);

	if (is(ftp, "secure_session_reuse", "required"))
		for (struct draft_object *tls = draft->sections[DRAFT_TLS_ACTIONS]; tls != NULL;
		     tls = tls->next)
			give_time(draft, tls);
	for (struct draft_object *one = draft->sections[DRAFT_BACKENDS]; one != NULL; one = one->next) {
		if (!is(one, "secure_session_reuse", "required"))
			continue;
		if (is(one, "secure_dataconn", "never"))
			draft_differ(draft, draft_assumed(draft, "SECURE_SESSION_REUSE", "ALLOWED"),
				     (struct draft_place){ one, "secure_session_reuse", "allowed" },
				     "SECURE_DATACONN is NEVER, so no data connection has a session");
		else
			give_time(draft, draft_find(draft, DRAFT_TLS_ACTIONS, draft_get(one, "tls")));
	}
}

static void make(struct zos *zos, const struct ftp_data *data, size_t n, struct attls *attls)
{
	zos_rules(zos);
	fix_reuse(zos->draft);
	zos_fips_finish(zos->draft);
	if (zos->needs_users)
		add_place_holder(zos->draft);
	sweep_ftp_data(zos->draft, data, n);
	sweep(zos->draft, attls);
}

int import_zos(struct draft *draft, struct source *ftp_data, size_t n_ftp_data, struct source *attls,
	       size_t n_attls, const char *address)
{
	struct ftp_data data[FTP_DATA_MAX];
	struct attls policy = { .draft = draft };
	struct zos zos = { .draft = draft, .address = address };
	int r = -EINVAL;

	for (size_t i = 0; i < n_ftp_data && i < FTP_DATA_MAX; i++)
		ftp_data_parse(draft, &ftp_data[i], &data[i]);
	for (size_t i = 0; i < n_attls; i++)
		attls_parse(&policy, &attls[i]);
	attls_resolve(&policy);
	attls_check(&policy);
	if (n_ftp_data > FTP_DATA_MAX)
		diags_add(&ftp_data[FTP_DATA_MAX].diags, DIAG_ERROR, DIAG_IMPORT_SIDES,
			  (struct diag_mark){ 0 },
			  "there is one FTP.DATA for the server and one for the client");
	if (faults(ftp_data, n_ftp_data) + faults(attls, n_attls) > 0)
		goto out;
	if (!assign(&zos, data, n_ftp_data))
		goto out;
	if (n_attls > 0)
		zos.attls = &policy;
	make(&zos, data, n_ftp_data, &policy);
	if (draft->sections[DRAFT_RULES] == NULL && !zos.left_out) {
		diags_add(
		    &attls[0].diags, DIAG_ERROR, DIAG_IMPORT_NO_RULE, (struct diag_mark){ 0 },
		    "no rule is for FTP: none has port 21, the TLSPORT, or the job name of an FTP server");
		goto out;
	}
	if (draft->sections[DRAFT_TLS_ACTIONS] == NULL) {
		diags_add(&attls[0].diags, DIAG_ERROR, DIAG_IMPORT_NO_RULE, (struct diag_mark){ 0 },
			  "all rules for FTP leave their connections in the clear: there is nothing for "
			  "attlsd to do");
		goto out;
	}
	r = 0;
out:
	attls_done(&policy);
	return r;
}
