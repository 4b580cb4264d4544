/*
 * Warnings about parts of a policy that have no effect, or not the effect that they
 * seem to have. A warning does not stop anything, so each names what to change.
 */
#include "policy/rule.h"

#include "policy/rule-check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/cipher.h"
#include "policy/nelem.h"

#define LEFT_OUT_MAX 400

/* The names in OpenSSL's list that need the private key for more than a signature. */
static size_t list_static_rsa(const char *list, char buf[static LEFT_OUT_MAX])
{
	size_t n = 0;
	char name[64];

	buf[0] = '\0';
	for (size_t len; *list != '\0'; list += len + (list[len] == ':')) {
		const struct cipher *cipher;
		size_t used = strlen(buf);

		len = strcspn(list, ":");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, list);
		cipher = cipher_find(name);
		if (cipher == NULL || !cipher_needs_decryption(cipher))
			continue;
		(void)snprintf(buf + used, LEFT_OUT_MAX - used, "%s%s", n++ == 0 ? "" : ", ", name);
	}
	return n;
}

static void warn_static_rsa(const struct check *c, const struct tls_action *tls)
{
	char names[LEFT_OUT_MAX];

	if (tls->ciphers == NULL || tls->role == ROLE_CLIENT ||
	    c->policy->daemon.key_isolation == KEY_ISOLATION_FALSE ||
	    list_static_rsa(tls->ciphers, names) == 0)
		return;
	check_warn(
	    c, DIAG_CIPHER_NEEDS_KEY, tls, "ciphers",
	    "attlsd does not offer %s%s: such a cipher needs a private key that decrypts, but with "
	    "\"key_isolation\" the keys only sign; use ciphers with ECDHE, or set \"key_isolation: false\" in "
	    "\"daemon\"",
	    names,
	    c->policy->daemon.key_isolation == KEY_ISOLATION_AUTO ? " when it is started as root" : "");
}

static void warn_tls_action(const struct check *c, const struct tls_action *tls)
{
	if (tls->role == ROLE_SERVER && check_is_given(c, tls, "client_auth_type"))
		check_warn(c, DIAG_NO_EFFECT, tls, "client_auth_type",
			   "\"client_auth_type\" has no effect unless \"handshake_role\" is "
			   "server_with_client_auth");
	if (tls->session_ticket_keys != NULL && tls->session_timeout_s == 0)
		check_warn(c, DIAG_NO_EFFECT, tls, "session_ticket_keys",
			   "\"session_ticket_keys\" has no effect: with \"session_timeout: 0\" no session is "
			   "resumed");
	if (tls->session_ticket_keys != NULL && check_is_given(c, tls, "session_ticket_rotation"))
		check_warn(
		    c, DIAG_NO_EFFECT, tls, "session_ticket_rotation",
		    "\"session_ticket_rotation\" has no effect: the keys of \"session_ticket_keys\" change "
		    "with each \"session_timeout\"");
	if (tls->ciphers != NULL && (tls->versions & POLICY_TLS1_2) == 0)
		check_warn(c, DIAG_NO_EFFECT, tls, "ciphers",
			   "\"ciphers\" has no effect: \"versions\" leaves out tls1.2");
	if (tls->ciphersuites != NULL && (tls->versions & POLICY_TLS1_3) == 0)
		check_warn(c, DIAG_NO_EFFECT, tls, "ciphersuites",
			   "\"ciphersuites\" has no effect: \"versions\" leaves out tls1.3");
}

static void warn_ftp_action(const struct check *c, const struct ftp_action *ftp)
{
	bool clear = ftp->secure_ctrlconn == SECURE_CLEAR;

	if (clear && ftp->tlsrfclevel == TLSRFCLEVEL_DRAFT)
		check_warn(c, DIAG_CCC_NOT_POSSIBLE, ftp, "secure_ctrlconn",
			   "\"secure_ctrlconn: clear\" does not permit CCC while \"tlsrfclevel\" is draft; "
			   "use rfc4217");
	if (!clear && ftp->tlsrfclevel == TLSRFCLEVEL_CCCNONOTIFY)
		check_warn(c, DIAG_NO_EFFECT, ftp, "tlsrfclevel",
			   "\"tlsrfclevel: cccnonotify\" has no effect unless \"secure_ctrlconn\" is clear");
	if (ftp->ftplogging == FTPLOGGING_TRUE)
		check_warn(
		    c, DIAG_FTPLOGGING_NAMES, ftp, "ftplogging",
		    "\"ftplogging: true\" logs the addresses of clients, not their names, because attlsd "
		    "asks no name server; use truenodns");
	if (ftp->portcommand == PORTCOMMAND_REJECT &&
	    (check_is_given(c, ftp, "portcommandipaddr") || check_is_given(c, ftp, "portcommandport")))
		check_warn(c, DIAG_NO_EFFECT, ftp, "portcommand",
			   "\"portcommandipaddr\" and \"portcommandport\" have no effect: "
			   "\"portcommand\" is reject");
}

/* What the levels mean to clients that stay in the clear, and whether one of them makes secure_ftp empty. */
static void warn_scope(const struct check *c, const struct ftp_action *ftp)
{
	bool data = ftp->secure_dataconn == SECURE_SAFE || ftp->secure_dataconn == SECURE_PRIVATE;

	if (ftp->secure_ftp == SECURE_FTP_REQUIRED) {
		if (ftp->data_policy_scope == DATA_POLICY_PROTECTED) {
			check_warn(
			    c, DIAG_NO_EFFECT, ftp, "data_policy_scope",
			    "\"data_policy_scope: protected\" has no effect while \"secure_ftp\" is required");
			check_see(c, ftp, "secure_ftp", "\"secure_ftp\"");
		}
	} else if (ftp->data_policy_scope == DATA_POLICY_PROTECTED) {
		if (data || ftp->secure_ctrlconn != SECURE_CLEAR)
			check_warn(
			    c, DIAG_DATA_SCOPE, ftp, "data_policy_scope",
			    "\"data_policy_scope: protected\" lets clients that do not start TLS log in and "
			    "transfer in the clear, whatever \"secure_ctrlconn\" and \"secure_dataconn\" say; "
			    "use all to apply both to these clients");
	} else if (ftp->secure_ctrlconn != SECURE_CLEAR) {
		check_warn(
		    c, DIAG_EMPTY_PERMISSION, ftp, "secure_ftp",
		    "\"secure_ftp: allowed\" admits no client without TLS, because \"secure_ctrlconn\" is %s; "
		    "set that to clear, or \"secure_ftp\" to required",
		    ftp->secure_ctrlconn == SECURE_SAFE ? "safe" : "private");
		check_see(c, ftp, "secure_ctrlconn", "\"secure_ctrlconn\"");
	} else if (data) {
		check_warn(
		    c, DIAG_EMPTY_PERMISSION, ftp, "secure_ftp",
		    "\"secure_ftp: allowed\" lets clients log in without TLS, but transfer nothing, because "
		    "\"secure_dataconn\" is %s; set that to clear, or \"secure_ftp\" to required",
		    ftp->secure_dataconn == SECURE_SAFE ? "safe" : "private");
		check_see(c, ftp, "secure_dataconn", "\"secure_dataconn\"");
	}
}

static bool has_explicit(const struct policy *policy, const struct policy_rule *rule)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].tls != LISTENER_IMPLICIT &&
		    policy->listeners[i].tls != LISTENER_NONE &&
		    policy_rule_takes(rule, &policy->listeners[i]))
			return true;
	return false;
}

/* Does a list name this verb, alone or (if with_argument) with one ("AUTH TLS")? */
static bool list_names(const struct command_list *list, const char *verb, bool with_argument)
{
	size_t len = strlen(verb);

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->names[i], verb, len) == 0 &&
		    (list->names[i][len] == '\0' || (with_argument && list->names[i][len] == ' ')))
			return true;
	return false;
}

/* The key of the list that refuses this verb from every client, or NULL. */
static const char *list_without(const struct ftp_action *ftp, const char *verb)
{
	if (ftp->commands_allowed.n > 0 && !list_names(&ftp->commands_allowed, verb, true))
		return "commands_allowed";
	return list_names(&ftp->commands_denied, verb, false) ? "commands_denied" : NULL;
}

/* Lists that lock out every client by accident: without AUTH, PBSZ and PROT, no client can satisfy policy. */
static void warn_lists(const struct check *c, const struct policy_rule *rule)
{
	static const char *const logins[] = { "USER", "PASS" };
	static const char *const verbs[] = { "AUTH", "PBSZ", "PROT" };
	const struct ftp_action *ftp = rule->ftp;
	bool data = ftp->secure_dataconn == SECURE_SAFE || ftp->secure_dataconn == SECURE_PRIVATE;

	for (size_t i = 0; i < NELEM(logins); i++) {
		const char *key = list_without(ftp, logins[i]);

		if (key == NULL)
			continue;
		check_warn(c, DIAG_COMMAND_LIST_BLOCKS, ftp, key,
			   "\"%s\" refuses %s from clients of rules \"%s\", and without it nobody can log in",
			   key, logins[i], rule->name);
		check_see(c, rule, NULL, "rules \"%s\"", rule->name);
		break;
	}
	if (!ftp_action_needs_tls(ftp) || !has_explicit(c->policy, rule))
		return;
	for (size_t i = 0; i < (data ? NELEM(verbs) : 1); i++) {
		const char *key = list_without(ftp, verbs[i]);

		if (key == NULL)
			continue;
		check_warn(c, DIAG_COMMAND_LIST_BLOCKS, ftp, key,
			   "\"%s\" refuses %s from clients of rules \"%s\", "
			   "and without it nobody can %s where TLS is explicit",
			   key, verbs[i], rule->name, i == 0 ? "log in" : "transfer a file");
		check_see(c, rule, NULL, "rules \"%s\"", rule->name);
		return;
	}
}

static bool listeners_cover(const struct policy *policy, const struct policy_rule *a,
			    const struct policy_rule *b)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy_rule_takes(b, &policy->listeners[i]) &&
		    !policy_rule_takes(a, &policy->listeners[i]))
			return false;
	return true;
}

/* Does the earlier rule take each destination of the other? Names count as different unless equal. */
static bool hosts_cover(const struct policy_rule *a, const struct policy_rule *b)
{
	size_t n = 0;

	if (a->ndestinations == 0)
		return true;
	for (size_t i = 0; i < b->ndestinations; i++)
		for (size_t j = 0; j < a->ndestinations; j++)
			if (strcasecmp(a->destinations[j].name, b->destinations[i].name) == 0) {
				n++;
				break;
			}
	return b->ndestinations > 0 && n == b->ndestinations;
}

static void warn_covered(const struct check *c, size_t index)
{
	const struct policy_rule *rule = &c->policy->rules[index];

	for (size_t i = 0; i < index; i++) {
		const struct policy_rule *earlier = &c->policy->rules[i];

		if (!listeners_cover(c->policy, earlier, rule) ||
		    !ip_ranges_cover(earlier->remote_addrs, earlier->nremote_addrs, rule->remote_addrs,
				     rule->nremote_addrs) ||
		    !ip_ranges_cover(earlier->local_addrs, earlier->nlocal_addrs, rule->local_addrs,
				     rule->nlocal_addrs) ||
		    !hosts_cover(earlier, rule) ||
		    !policy_times_cover(earlier->times, earlier->ntimes, rule->times, rule->ntimes))
			continue;
		diags_add(c->diags, DIAG_WARNING, DIAG_NEVER_MATCHES, rule->mark,
			  "rules \"%s\" can never match: rules \"%s\" comes first and covers it; "
			  "raise the \"priority\" of \"%s\" above %u",
			  rule->name, earlier->name, rule->name, earlier->priority);
		diags_see(c->diags, NULL, earlier->mark, "rules \"%s\"", earlier->name);
		return;
	}
}

static bool keyring_is_used(const struct policy *policy, const struct policy_keyring *ring)
{
	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].keyring == ring)
			return true;
	return false;
}

/* Does a rule name this action or backend, or a backend this action? */
static bool is_named(const struct policy *policy, const void *object)
{
	for (size_t i = 0; i < policy->nbackends; i++)
		if (policy->backends[i].tls == object)
			return true;
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].tls == object || policy->rules[i].ftp == object ||
		    policy->rules[i].backend == object)
			return true;
	return false;
}

static bool listener_is_used(const struct policy *policy, const struct policy_listener *listener)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy_rule_takes(&policy->rules[i], listener))
			return true;
	return false;
}

static void warn_unnamed(const struct check *c, const char *section, const char *name, const void *object)
{
	if (!is_named(c->policy, object))
		check_warn(c, DIAG_UNUSED, object, NULL, "%s \"%s\" is not used by any rule%s", section, name,
			   strcmp(section, "tls_actions") == 0 ? " or backend" : "");
}

static void warn_unused(const struct check *c)
{
	const struct policy *policy = c->policy;

	for (size_t i = 0; i < policy->nkeyrings; i++)
		if (!keyring_is_used(policy, &policy->keyrings[i]))
			check_warn(c, DIAG_UNUSED, &policy->keyrings[i], NULL,
				   "keyrings \"%s\" is not used by any entry of tls_actions",
				   policy->keyrings[i].name);
	for (size_t i = 0; i < policy->ntls_actions; i++)
		warn_unnamed(c, "tls_actions", policy->tls_actions[i].name, &policy->tls_actions[i]);
	for (size_t i = 0; i < policy->nftp_actions; i++)
		warn_unnamed(c, "ftp_actions", policy->ftp_actions[i].name, &policy->ftp_actions[i]);
	for (size_t i = 0; i < policy->nbackends; i++)
		warn_unnamed(c, "backends", policy->backends[i].name, &policy->backends[i]);
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (!listener_is_used(policy, &policy->listeners[i]))
			check_warn(c, DIAG_UNUSED, &policy->listeners[i], NULL,
				   "no rule matches listeners \"%s\": every connection to it is refused",
				   policy->listeners[i].name);
}

static void warn_audit(const struct check *c, const struct policy_daemon *daemon)
{
	if (daemon->audit == NULL && daemon->audit_failure == AUDIT_FAILURE_REFUSE)
		check_warn(c, DIAG_NO_EFFECT, daemon, "audit_failure",
			   "\"audit_failure: refuse\" has no effect without \"audit\"");
	if (daemon->audit != NULL && daemon->xferlog != NULL && strcmp(daemon->audit, daemon->xferlog) == 0) {
		check_warn(c, DIAG_SAME_ADDRESS, daemon, "xferlog",
			   "\"audit\" and \"xferlog\" have the same path, so programs that read either find "
			   "lines of the other; use two files");
		check_see(c, daemon, "audit", "\"audit\"");
	}
}

void rule_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	if (policy->daemon.control_group != NULL && policy->daemon.control_socket == NULL)
		check_warn(&c, DIAG_NO_EFFECT, &policy->daemon, "control_group",
			   "\"control_group\" has no effect with \"control_socket: none\"");
	warn_audit(&c, &policy->daemon);
	for (size_t i = 0; i < policy->nkeyrings; i++)
		if (policy->keyrings[i].crl != NULL && policy->keyrings[i].trust == NULL &&
		    !policy->keyrings[i].trust_system)
			check_warn(&c, DIAG_NO_EFFECT, &policy->keyrings[i], "crl",
				   "\"crl\" has no effect without \"trust\"");
	for (size_t i = 0; i < policy->ntls_actions; i++) {
		warn_tls_action(&c, &policy->tls_actions[i]);
		warn_static_rsa(&c, &policy->tls_actions[i]);
	}
	for (size_t i = 0; i < policy->nftp_actions; i++) {
		warn_ftp_action(&c, &policy->ftp_actions[i]);
		warn_scope(&c, &policy->ftp_actions[i]);
	}
	for (size_t i = 0; i < policy->nrules; i++) {
		warn_covered(&c, i);
		warn_lists(&c, &policy->rules[i]);
	}
	warn_unused(&c);
}
