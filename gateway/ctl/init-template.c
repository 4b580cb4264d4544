/*
 * All text of the policies that `attlsctl init` writes, section by section, with comments for a reader who
 * sees a policy for the first time. Values of users are quoted here and nowhere else.
 */
#include "gateway/ctl/init-template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"

/* The partners' rules come before that of everyone, and among them the first on the command line. */
#define PRIORITY_EVERYONE 100
#define PRIORITY_STEP	  10

#define COMMAND_LINE_MAX 510 /* every server reads a line of this length as one */

static const char *quoted(struct init_plan *plan, const char *text)
{
	return text_yaml(&plan->arena, text);
}

static void write_head(struct init_plan *plan, FILE *out)
{
	(void)plan;
	(void)fputs(
	    "# The policy of attlsd, made by `attlsctl init`. All keys: man attlsd.yaml\n"
	    "# Change it as you like. Then:\n"
	    "#   attlsctl check        are there errors?\n"
	    "#   attlsctl explain --listener explicit --client ADDRESS   what will this client get?\n"
	    "#   attlsctl reload       put it into force; sessions keep the policy that they began with\n"
	    "version: 1\n"
	    "\n# attlsd itself. auto: if root starts it, processes of their own have the private keys.\n"
	    "daemon: { key_isolation: auto }\n",
	    out);
}

static void write_certificate(struct init_plan *plan, FILE *out)
{
	(void)fprintf(out, "    certificates:\n      - { chain: %s, key: %s }\n",
		      quoted(plan, plan->certificate), quoted(plan, plan->key));
}

/* On an explicit port, the client of z/OS is like any other. */
static bool greets_first(const struct init_plan *plan, const struct init_partner *partner)
{
	return partner->zos && plan->implicit_port != NULL;
}

/* Does this partner need FTP settings of its own? */
static bool has_action(const struct init_plan *plan, const struct init_partner *partner)
{
	return partner->ccc || partner->clear || greets_first(plan, partner);
}

/* Is a rule for clients that show no certificate? */
static bool uses_server(const struct init_plan *plan)
{
	bool uses = !plan->partners_only;

	for (size_t i = 0; i < plan->npartners; i++)
		uses = uses || plan->partners[i].trust == NULL;
	return uses;
}

/* Is a rule for clients with the default FTP settings? */
static bool uses_standard(const struct init_plan *plan)
{
	bool uses = !plan->partners_only;

	for (size_t i = 0; i < plan->npartners; i++)
		uses = uses || !has_action(plan, &plan->partners[i]);
	return uses;
}

static void write_keyrings(struct init_plan *plan, FILE *out)
{
	(void)fputs(
	    "\n# Certificates and their keys, as PEM files. The file of the chain has the server's certificate\n"
	    "# first, then those of its issuers.\n"
	    "keyrings:\n",
	    out);
	if (plan->throwaway)
		(void)fputs(
		    "  # THROWAWAY CERTIFICATE: attlsctl init has made it. It expires after 30 days, and no client trusts\n"
		    "  # it by itself. Put the paths of a real one here, then run: attlsctl reload\n",
		    out);
	if (uses_server(plan)) {
		(void)fputs("  ftpd:\n", out);
		write_certificate(plan, out);
	}
	for (size_t i = 0; i < plan->npartners; i++) {
		const struct init_partner *partner = &plan->partners[i];

		if (partner->trust == NULL)
			continue;
		(void)fprintf(out, "  %s:\n", quoted(plan, partner->name));
		write_certificate(plan, out);
		(void)fprintf(out,
			      "    trust: %s  # the authorities that issue its clients' certificates\n"
			      "    max_client_chain: 16384  # bytes of a client's certificates\n",
			      quoted(plan, partner->trust));
	}
}

static void write_tls_actions(struct init_plan *plan, FILE *out)
{
	(void)fputs("\n# TLS toward clients: by default 1.2 and 1.3 with forward secrecy.\n"
		    "tls_actions:\n",
		    out);
	if (uses_server(plan))
		(void)fputs("  server: { keyring: ftpd }\n", out);
	for (size_t i = 0; i < plan->npartners; i++) {
		const char *name = quoted(plan, plan->partners[i].name);

		if (plan->partners[i].trust != NULL)
			(void)fprintf(out,
				      "  %s:  # the client has to show a certificate, too\n"
				      "    handshake_role: server_with_client_auth\n"
				      "    client_auth_type: required\n"
				      "    keyring: %s\n",
				      name, name);
	}
}

/* What a need changes in the FTP settings of a partner. */
static void write_needs(const struct init_plan *plan, const struct init_partner *partner, FILE *out)
{
	const struct {
		bool needed;
		const char *lines;
	} needs[] = {
		{ partner->clear,
		  "    # this partner has no TLS: its passwords and files cross the network in the clear\n"
		  "    secure_ftp: allowed\n"
		  "    secure_dataconn: clear\n" },
		{ partner->ccc,
		  "    # after the login, a client may send CCC: the control connection goes on in the clear, so that a\n"
		  "    # firewall can read the ports in it. Data connections stay under TLS\n" },
		{ partner->ccc || partner->clear, "    secure_ctrlconn: clear\n" },
		{ greets_first(plan, partner),
		  "    # on an implicit port, the client of z/OS waits for 220 in the clear before it starts TLS\n"
		  "    secureimplicitzos: true\n" },
	};

	for (size_t i = 0; i < NELEM(needs); i++)
		if (needs[i].needed)
			(void)fputs(needs[i].lines, out);
}

/* Settings that every action has: each is a default, but one that a reader may want to change. */
static void write_action(struct init_plan *plan, const char *name, bool explained, FILE *out)
{
	const struct {
		const char *key, *value, *why;
	} lines[] = {
		{ "passivedataports", plan->passivedataports, "where clients open their data connections" },
		{ "unknown_commands", "refuse", "those that neither attlsd nor the server's FEAT knows" },
		{ "accesserrormsgs", "false", "do not tell clients why the server refuses a login" },
		{ "myopentime", "60s", "for the server to accept a connection" },
		{ "dconntime", "120s", "for the receiver to acknowledge the last bytes of a transfer" },
	};

	(void)fprintf(out, "  %s:\n", name);
	for (size_t i = 0; i < NELEM(lines); i++)
		(void)fprintf(out, "    %s: %s%s%s\n", lines[i].key, lines[i].value, explained ? "  # " : "",
			      explained ? lines[i].why : "");
}

static void write_ftp_actions(struct init_plan *plan, FILE *out)
{
	(void)fputs(
	    "\n# FTP settings. The defaults refuse logins and files in the clear, CCC, and data connections to\n"
	    "# third hosts. The firewall has to let clients reach the passivedataports.\n"
	    "ftp_actions:\n",
	    out);
	if (uses_standard(plan))
		write_action(plan, "standard", true, out);
	for (size_t i = 0; i < plan->npartners; i++)
		if (has_action(plan, &plan->partners[i])) {
			write_action(plan, quoted(plan, plan->partners[i].name),
				     i == 0 && !uses_standard(plan), out);
			write_needs(plan, &plan->partners[i], out);
		}
}

static void write_backends(struct init_plan *plan, FILE *out)
{
	(void)fputs(
	    "\n# The FTP server. attlsd reaches it in the clear, so only attlsd may be able to reach it.\n"
	    "backends:\n  legacy:\n",
	    out);
	if (plan->server != NULL)
		(void)fprintf(out, "    # attlsctl init found %s here\n", plan->server);
	(void)fprintf(out, "    address: %s\n", quoted(plan, plan->backend));
	(void)fprintf(out,
		      "    command_line_max: %u  # bytes; some servers read a longer line as two commands\n",
		      plan->command_line_max != 0 ? plan->command_line_max : COMMAND_LINE_MAX);
}

static void write_listeners(struct init_plan *plan, FILE *out)
{
	(void)fprintf(
	    out,
	    "\n# The ports that clients connect to. explicit: a client asks for TLS with AUTH TLS.%s\n"
	    "listeners:\n"
	    "  explicit: { address: %s }\n",
	    plan->implicit_port != NULL ? "\n# implicit: TLS starts with the first byte." : "",
	    quoted(plan, plan->port));
	if (plan->implicit_port != NULL)
		(void)fprintf(out, "  implicit: { address: %s, tls: implicit }\n",
			      quoted(plan, plan->implicit_port));
}

static void write_nat(struct init_plan *plan, FILE *out)
{
	if (plan->advertise != NULL)
		(void)fprintf(
		    out,
		    "\n# Clients reach this host at another address than its own. Replies to PASV name that address.\n"
		    "nat: { advertise: %s }\n",
		    quoted(plan, plan->advertise));
}

static void write_rules(struct init_plan *plan, FILE *out)
{
	size_t priority = PRIORITY_EVERYONE + PRIORITY_STEP * plan->npartners;

	(void)fputs(
	    "\n# Which clients get which settings: the rule with the highest priority that matches. attlsd refuses\n"
	    "# clients that match none.\n"
	    "rules:\n",
	    out);
	for (size_t i = 0; i < plan->npartners; i++, priority -= PRIORITY_STEP) {
		const struct init_partner *partner = &plan->partners[i];
		const char *name = quoted(plan, partner->name);

		(void)fprintf(out,
			      "  %s:\n    priority: %zu\n    match: { remote_addr: [%s] }\n"
			      "    tls: %s\n    ftp: %s\n    backend: legacy\n",
			      name, priority, partner->networks, partner->trust != NULL ? name : "server",
			      has_action(plan, partner) ? name : "standard");
	}
	if (!plan->partners_only)
		(void)fprintf(
		    out,
		    "  everyone:\n    priority: %d\n    tls: server\n    ftp: standard\n    backend: legacy\n",
		    PRIORITY_EVERYONE);
}

char *init_template_write(struct init_plan *plan, size_t *ret_len)
{
	static void (*const sections[])(struct init_plan * plan, FILE * out) = {
		write_head,	write_keyrings,	 write_tls_actions, write_ftp_actions,
		write_backends, write_listeners, write_nat,	    write_rules,
	};
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < NELEM(sections); i++)
		sections[i](plan, out);
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}
