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

static const char *upper_of(struct export *export, const char *value, size_t len)
{
	char *upper = text_copy(&export->arena, value, len);

	for (char *at = upper; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at & ~0x20);
	return upper;
}

/* The value as z/OS has it, or NULL. */
static const char *convert(struct export *export, const struct ftp_data_row *row, const char *value)
{
	struct arena *arena = &export->arena;
	unsigned number, high;
	const char *upper;

	switch (row->kind) {
	case FTP_DATA_SECONDS:
	case FTP_DATA_MINUTES:
		if (!seconds(value, row->kind == FTP_DATA_MINUTES ? 60 : 1, &number) ||
		    !((number >= row->min && number <= row->max) ||
		      (number == 0 && row->zero == FTP_DATA_ZERO)))
			return NULL;
		return text_format(arena, "%u", number);
	case FTP_DATA_NUMBER:
		return value;
	case FTP_DATA_PORTS:
		return sscanf(value, "%5u-%5u", &number, &high) == 2
			   ? text_format(arena, "(%u,%u)", number, high)
			   : NULL;
	case FTP_DATA_WORD:
		upper = upper_of(export, value, strlen(value));
		return text_is_word(upper, row->words) ? upper : NULL;
	case FTP_DATA_SPECIAL:
	case FTP_DATA_NOTHING:
		break;
	}
	return NULL;
}

/* A set of words: z/OS has a statement for each. False: the set is empty. */
static bool print_each(struct export *export, const struct ftp_data_row *row, const char *value)
{
	static const char between[] = "[], ";
	const char *at = value + strspn(value, between);
	bool any = *at != '\0';

	for (size_t len; *at != '\0'; at += len, at += strspn(at, between)) {
		len = strcspn(at, between);
		(void)fprintf(export->out, "%-24s %s\n", row->statement, upper_of(export, at, len));
	}
	return any;
}

static void print_setting(void *context, const char *key, const char *value, bool given)
{
	struct export *export = context;
	const struct ftp_data_row *row = row_of(export, key);
	const char *converted = row != NULL ? convert(export, row, value) : NULL;

	/* keys of the client with values of their own are printed by print_client() */
	if (export->side == FTP_DATA_CLIENT && text_is_word(key, "epsv data secure_mechanism tls"))
		return;
	if (row != NULL && row->kind == FTP_DATA_SPECIAL && print_each(export, row, value))
		return;
	if (converted != NULL)
		(void)fprintf(export->out, "%-24s %s\n", row->statement, converted);
	else if (given)
		(void)fprintf(export->out,
			      row != NULL ? "; %s: %s is no value of z/OS\n"
					  : "; %s: %s has no statement of z/OS\n",
			      key, text_safe(&export->arena, value));
}

/* The times of a client are keys of ftp_actions, the rest of backends. */
static void print_time(void *context, const char *key, const char *value, bool given)
{
	const struct ftp_data_row *row = row_of(context, key);

	if (row != NULL && row->kind == FTP_DATA_SECONDS)
		print_setting(context, key, value, given);
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

/* Do clients of this listener get this action, by any rule? */
static bool serves(const struct policy *policy, const struct policy_listener *listener,
		   const struct ftp_action *ftp)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].ftp == ftp && policy_rule_takes(&policy->rules[i], listener))
			return true;
	return false;
}

/*
 * A daemon of z/OS reads one FTP.DATA with one TLSPORT. Returns the listener that has it, NULL: none;
 * *ret_other is one with another port, NULL: none.
 */
static const struct policy_listener *find_tlsport(const struct policy *policy, const struct ftp_action *ftp,
						  const struct policy_listener **ret_other)
{
	const struct policy_listener *found = NULL;

	*ret_other = NULL;
	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];

		if (listener->tls != LISTENER_IMPLICIT || !serves(policy, listener, ftp))
			continue;
		if (found == NULL)
			found = listener;
		else if (listener->endpoint.port != found->endpoint.port)
			*ret_other = listener;
	}
	return found;
}

/* Each of tls_actions that clients of the action get, once. */
static void print_all_tls(struct export *export, const struct policy *policy, const struct ftp_action *ftp)
{
	for (size_t i = 0; i < policy->ntls_actions; i++)
		for (size_t j = 0; j < policy->nrules; j++)
			if (policy->rules[j].ftp == ftp && policy->rules[j].tls == &policy->tls_actions[i]) {
				print_tls(export, policy, &policy->tls_actions[i]);
				break;
			}
}

static int print_server(struct export *export, const struct policy *policy, const struct ftp_action *ftp,
			FILE *errors)
{
	const struct policy_listener *other;
	const struct policy_listener *implicit = find_tlsport(policy, ftp, &other);

	if (other != NULL) {
		(void)fprintf(
		    errors,
		    "attlsctl: clients of listeners %s and %s get ftp_actions %s, with implicit TLS "
		    "on ports %u and %u, but FTP.DATA has one TLSPORT: give the rules of each port "
		    "an action of its own, and z/OS a daemon for each\n",
		    implicit->name, other->name, ftp->name, implicit->endpoint.port, other->endpoint.port);
		return -ENOTUNIQ;
	}
	(void)fprintf(export->out, "; FTP.DATA of the server, from ftp_actions.%s\n", ftp->name);
	policy_explain_settings(policy, "ftp_actions", ftp, print_setting, export);
	(void)fprintf(export->out, "%-24s %u\n", "TLSPORT", implicit != NULL ? implicit->endpoint.port : 0);
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].tls == LISTENER_AUTO && serves(policy, &policy->listeners[i], ftp))
			(void)fprintf(
			    export->out,
			    "; listeners.%s has tls: auto; a port of z/OS is explicit or implicit\n",
			    policy->listeners[i].name);
	print_all_tls(export, policy, ftp);
	return 0;
}

/* A client of z/OS has one set of times; here, each rule may lead to the server with its own. */
static void print_times(struct export *export, const struct policy *policy,
			const struct policy_backend *backend)
{
	const struct ftp_action *ftp = NULL;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->backend != backend || rule->ftp == ftp)
			continue;
		if (ftp != NULL)
			(void)fprintf(export->out, "; rules.%s has the times of ftp_actions.%s\n", rule->name,
				      rule->ftp->name);
		else
			policy_explain_settings(policy, "ftp_actions", rule->ftp, print_time, export);
		ftp = ftp != NULL ? ftp : rule->ftp;
	}
}

static void print_client(struct export *export, const struct policy *policy,
			 const struct policy_backend *backend)
{
	static const char *const mechanisms[] = { [SECURE_MECHANISM_TLS] = "TLS",
						  [SECURE_MECHANISM_SSL] = "SSL",
						  [SECURE_MECHANISM_IMPLICIT] = "TLS" };

	(void)fprintf(export->out, "; FTP.DATA of the client, from backends.%s\n", backend->name);
	policy_explain_settings(policy, "backends", backend, print_setting, export);
	print_times(export, policy, backend);
	(void)fprintf(export->out, "%-24s %s\n%-24s REQUIRED\n", "SECURE_MECHANISM",
		      mechanisms[backend->security.mechanism], "SECURE_FTP");
	if (backend->security.mechanism == SECURE_MECHANISM_IMPLICIT)
		(void)fprintf(export->out, "%-24s %u\n", "TLSPORT", backend->servers[0].endpoint.port);
	(void)fprintf(export->out, "%-24s %s\n", "SECURE_HOSTNAME",
		      backend->tls->secure_hostname == SECURE_HOSTNAME_REQUIRED ? "REQUIRED" : "OPTIONAL");
	if (backend->epsv == BACKEND_EPSV_ALWAYS)
		(void)fprintf(export->out,
			      "; epsv: always - a client of z/OS uses PASV if EPSV is refused\n");
	if (backend->epsv != BACKEND_EPSV_AUTO)
		(void)fprintf(export->out, "%-24s %s\n", "EPSV4",
			      backend->epsv == BACKEND_EPSV_ALWAYS ? "TRUE" : "FALSE");
	if (backend->data != BACKEND_DATA_AUTO)
		(void)fprintf(export->out, "%-24s %s\n", "FWFRIENDLY",
			      backend->data == BACKEND_DATA_PASSIVE ? "TRUE" : "FALSE");
	(void)fprintf(export->out, "%-24s ATTLS\n", "TLSMECHANISM");
	print_tls(export, policy, backend->tls);
}

int export_ftp_data(const struct policy *policy, const char *name, FILE *out, FILE *errors)
{
	struct export export = { .out = out, .side = FTP_DATA_SERVER };
	int r = -ENOENT;

	for (size_t i = 0; i < policy->nftp_actions && r < 0; i++)
		if (strcmp(policy->ftp_actions[i].name, name) == 0) {
			r = print_server(&export, policy, &policy->ftp_actions[i], errors);
			break;
		}
	export.side = FTP_DATA_CLIENT;
	for (size_t i = 0; i < policy->nbackends && r == -ENOENT; i++)
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
		r = policy_file_parse(path, text, len, NULL, &diags, &policy);
	if (r < 0)
		diags_print(&diags, stderr);
	else
		r = export_ftp_data(policy, name, stdout, stderr);
	if (r == -ENOENT && policy != NULL)
		(void)fprintf(stderr,
			      "attlsctl: %s: neither ftp_actions nor backends with tls have the name %s\n",
			      path, name);
	policy_free(&policy);
	diags_done(&diags);
	free(text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
