/*
 * Prints settings with the table of the importer, read in the other direction. What z/OS
 * has no statement for is a comment.
 */
#include "gateway/import/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/host/policy-file.h"
#include "gateway/import/ftp-data-table.h"
#include "gateway/import/text.h"

struct export
{
	struct arena arena;
	FILE *out;
	const char *section;
	unsigned side;
	const struct policy_backend *backend; /* of the client; NULL: the server */
};

static const struct ftp_data_row *row_of(const struct export *export, const char *key)
{
	const struct ftp_data_row *row;

	for (size_t i = 0; (row = ftp_data_row_at(i)) != NULL; i++) {
		const char *is = export->side == FTP_DATA_SERVER ? row->server_key : row->client_key;

		if (is != NULL && strcmp(is, key) == 0)
			return row;
	}
	return NULL;
}

/* "120s" as a number of this unit; false: it has another form. */
static bool seconds(const char *value, unsigned unit, unsigned *ret)
{
	int end = 0;

	return sscanf(value, "%10u%n", ret, &end) == 1 && (strcmp(value + end, "s") == 0 || *ret == 0) &&
	       (*ret /= unit, true);
}

/* The value as z/OS has it, or NULL. */
static const char *convert(struct export *export, const struct ftp_data_row *row, const char *value)
{
	struct arena *arena = &export->arena;
	unsigned number, high;
	char *upper;

	switch (row->kind) {
	case FTP_DATA_SECONDS:
	case FTP_DATA_MINUTES:
		if (!seconds(value, row->kind == FTP_DATA_MINUTES ? 60 : 1, &number) ||
		    !((number >= row->min && number <= row->max) || (number == 0 && row->zero)))
			return NULL;
		return text_format(arena, "%u", number);
	case FTP_DATA_NUMBER:
		return value;
	case FTP_DATA_PORTS:
		return sscanf(value, "%5u-%5u", &number, &high) == 2
			   ? text_format(arena, "(%u,%u)", number, high)
			   : NULL;
	case FTP_DATA_WORD:
	case FTP_DATA_SPECIAL:
		upper = text_copy(arena, value, strlen(value));
		for (char *at = upper; *at != '\0'; at++)
			if (*at >= 'a' && *at <= 'z')
				*at = (char)(*at & ~0x20);
		return text_is_word(upper, row->words != NULL ? row->words : "AUTH_TLS") ? upper : NULL;
	case FTP_DATA_NOTHING:
		break;
	}
	return NULL;
}

static void print_setting(void *context, const char *key, const char *value, bool given)
{
	struct export *export = context;
	const struct ftp_data_row *row = row_of(export, key);
	const char *converted = row != NULL ? convert(export, row, value) : NULL;

	/* keys of the client with values of their own are printed by print_client() */
	if (export->side == FTP_DATA_CLIENT &&
	    (strcmp(key, "epsv") == 0 || strcmp(key, "data") == 0 || strcmp(key, "secure_mechanism") == 0))
		return;
	if (converted != NULL)
		(void)fprintf(export->out, "%-24s %s\n", row->statement, converted);
	else if (given)
		(void)fprintf(export->out, "; %s: %s has no statement of z/OS\n", key,
			      text_safe(&export->arena, value));
}

static void print_tls_setting(void *context, const char *key, const char *value, bool given)
{
	struct export *export = context;

	if (given)
		(void)fprintf(export->out, ";   %s: %s\n", key, text_safe(&export->arena, value));
}

static void print_tls(struct export *export, const struct policy *policy, const struct tls_action *tls)
{
	(void)fprintf(export->out,
		      "; TLS is in the policy of AT-TLS. tls_actions.%s has, beside its defaults:\n",
		      tls->name);
	policy_explain_settings(policy, "tls_actions", tls, print_tls_setting, export);
}

static void print_server(struct export *export, const struct policy *policy, const struct ftp_action *ftp)
{
	const struct tls_action *tls = NULL;
	unsigned port = 0;

	(void)fprintf(export->out, "; FTP.DATA of the server, from ftp_actions.%s\n", ftp->name);
	policy_explain_settings(policy, "ftp_actions", ftp, print_setting, export);
	(void)fprintf(export->out, "%-24s ATTLS\n", "TLSMECHANISM");
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->ftp != ftp)
			continue;
		tls = tls != NULL ? tls : rule->tls;
		for (size_t j = 0; j < policy->nlisteners; j++)
			if (port == 0 && policy->listeners[j].tls == LISTENER_IMPLICIT &&
			    policy_rule_takes(rule, &policy->listeners[j]))
				port = policy->listeners[j].endpoint.port;
	}
	(void)fprintf(export->out, "%-24s %u\n", "TLSPORT", port);
	if (tls != NULL)
		print_tls(export, policy, tls);
}

static void print_client(struct export *export, const struct policy *policy,
			 const struct policy_backend *backend)
{
	static const char *const mechanisms[] = { [SECURE_MECHANISM_TLS] = "TLS",
						  [SECURE_MECHANISM_SSL] = "SSL",
						  [SECURE_MECHANISM_IMPLICIT] = "TLS" };

	(void)fprintf(export->out, "; FTP.DATA of the client, from backends.%s\n", backend->name);
	policy_explain_settings(policy, "backends", backend, print_setting, export);
	(void)fprintf(export->out, "%-24s %s\n%-24s REQUIRED\n", "SECURE_MECHANISM",
		      mechanisms[backend->security.mechanism], "SECURE_FTP");
	if (backend->security.mechanism == SECURE_MECHANISM_IMPLICIT)
		(void)fprintf(export->out, "%-24s %u\n", "TLSPORT", backend->endpoint.port);
	(void)fprintf(export->out, "%-24s %s\n", "SECURE_HOSTNAME",
		      backend->tls->secure_hostname == SECURE_HOSTNAME_REQUIRED ? "REQUIRED" : "OPTIONAL");
	if (backend->epsv != BACKEND_EPSV_AUTO)
		(void)fprintf(export->out, "%-24s %s\n", "EPSV4",
			      backend->epsv == BACKEND_EPSV_ALWAYS ? "TRUE" : "FALSE");
	if (backend->data != BACKEND_DATA_AUTO)
		(void)fprintf(export->out, "%-24s %s\n", "FWFRIENDLY",
			      backend->data == BACKEND_DATA_PASSIVE ? "TRUE" : "FALSE");
	(void)fprintf(export->out, "%-24s ATTLS\n", "TLSMECHANISM");
	print_tls(export, policy, backend->tls);
}

int export_ftp_data(const struct policy *policy, const char *name, FILE *out)
{
	struct export export = { .out = out, .side = FTP_DATA_SERVER };
	int r = -ENOENT;

	for (size_t i = 0; i < policy->nftp_actions && r < 0; i++)
		if (strcmp(policy->ftp_actions[i].name, name) == 0) {
			print_server(&export, policy, &policy->ftp_actions[i]);
			r = 0;
		}
	export.side = FTP_DATA_CLIENT;
	for (size_t i = 0; i < policy->nbackends && r < 0; i++)
		if (strcmp(policy->backends[i].name, name) == 0 && policy->backends[i].tls != NULL) {
			print_client(&export, policy, &policy->backends[i]);
			r = 0;
		}
	arena_done(&export.arena);
	return r;
}

int export_command(const char *path, const char *name)
{
	struct policy *policy = NULL;
	struct diags diags;
	char *text = NULL;
	size_t len = 0;
	int r = policy_file_read(path, &diags, &text, &len);

	if (r == 0)
		r = policy_file_parse(path, text, len, &diags, &policy);
	if (r < 0)
		diags_print(&diags, stderr);
	else
		r = export_ftp_data(policy, name, stdout);
	if (r == -ENOENT && policy != NULL)
		(void)fprintf(stderr,
			      "attlsctl: %s: neither ftp_actions nor backends with tls have the name %s\n",
			      path, name);
	policy_free(&policy);
	diags_done(&diags);
	free(text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
