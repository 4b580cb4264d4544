/*
 * Takes the answers to the questions of `attlsctl init`, from options or from a terminal. Each is
 * checked at once, so that the message is about the answer and not about a line of the policy.
 */
#include "gateway/ctl/init-plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/host-port.h"
#include "gateway/import/text.h"
#include "policy/policy.h"

#define PORT_MAX 65535

static const char none[] = "none";

static bool is_address(const char *text)
{
	struct ip_addr addr;

	return ip_addr_parse(text, strlen(text), &addr) == 0;
}

/* As a policy takes it. */
static bool is_host(const char *text)
{
	return is_address(text) || policy_is_host_name(text);
}

const char *init_take_backend(struct init_plan *plan, const char *text)
{
	char host[HOST_PORT_MAX];
	const char *port = "21";
	uint64_t number;

	if (!host_port_split(text, host, &port) || !is_host(host) || !text_number(port, 1, PORT_MAX, &number))
		return "is not the HOST:PORT of an FTP server, such as 127.0.0.1:2021";
	plan->backend = text_format(&plan->arena, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
				    (unsigned)number);
	return NULL;
}

const char *init_take_name(struct init_plan *plan, const char *text)
{
	if (!is_host(text))
		return "is not a host name, such as ftp.example.com, nor an address";
	if (plan->nnames == INIT_NAMES_MAX)
		return "is one name too many";
	plan->names[plan->nnames++] = text_copy(&plan->arena, text, strlen(text));
	return NULL;
}

/* The whole path, because those in a policy count from the folder of the policy. */
static const char *take_file(struct init_plan *plan, const char *text, const char **ret)
{
	char path[PATH_MAX];

	if (realpath(text, path) == NULL || access(path, R_OK) == -1)
		return text_format(&plan->arena, "cannot be read: %s", strerror(errno));
	if (strcmp(text_safe(&plan->arena, path), path) != 0)
		return "has characters in its path that a policy cannot have";
	*ret = text_copy(&plan->arena, path, strlen(path));
	return NULL;
}

const char *init_take_certificate(struct init_plan *plan, const char *text)
{
	return take_file(plan, text, &plan->certificate);
}

const char *init_take_key(struct init_plan *plan, const char *text)
{
	return take_file(plan, text, &plan->key);
}

/* PORT, which is one of all addresses, or ADDRESS:PORT. */
static const char *take_port(struct init_plan *plan, const char *text, const char **ret)
{
	char host[HOST_PORT_MAX] = "0.0.0.0";
	const char *port = text;
	uint64_t number;

	if (strchr(text, ':') != NULL &&
	    (!host_port_split(text, host, &port) || port == text || !is_address(host)))
		return "is not PORT or ADDRESS:PORT";
	if (!text_number(port, 1, PORT_MAX, &number))
		return "is not a port from 1 to 65535";
	*ret = text_format(&plan->arena, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
			   (unsigned)number);
	return NULL;
}

const char *init_take_port(struct init_plan *plan, const char *text)
{
	return take_port(plan, text, &plan->port);
}

const char *init_take_implicit_port(struct init_plan *plan, const char *text)
{
	plan->implicit_port = NULL;
	return strcmp(text, none) == 0 ? NULL : take_port(plan, text, &plan->implicit_port);
}

const char *init_take_passivedataports(struct init_plan *plan, const char *text)
{
	const char *dash = strchr(text, '-');
	uint64_t low, high;

	if (dash == NULL ||
	    !text_number(text_copy(&plan->arena, text, (size_t)(dash - text)), IP_PORT_LOW_LIMIT, PORT_MAX,
			 &low) ||
	    !text_number(dash + 1, low, PORT_MAX, &high))
		return "is not a range of ports above 1023, such as 61000-61100";
	plan->passivedataports = text_format(&plan->arena, "%u-%u", (unsigned)low, (unsigned)high);
	return NULL;
}

const char *init_take_advertise(struct init_plan *plan, const char *text)
{
	plan->advertise = NULL;
	if (strcmp(text, none) == 0)
		return NULL;
	if (!is_host(text))
		return "is not an address, such as 203.0.113.10, nor a host name";
	plan->advertise = text_copy(&plan->arena, text, strlen(text));
	return NULL;
}

/* The names of what a policy has for everybody else, so that a partner cannot have them. */
static bool is_taken(const struct init_plan *plan, const char *name)
{
	static const char *const own[] = { "ftpd", "server", "standard", "everyone" };

	for (size_t i = 0; i < NELEM(own); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	for (size_t i = 0; i < plan->npartners; i++)
		if (strcmp(name, plan->partners[i].name) == 0)
			return true;
	return false;
}

static const char *take_network(struct init_plan *plan, const char *text, struct init_partner *partner)
{
	struct ip_range range;
	int r = ip_range_parse(text, strlen(text), &range);

	if (r == -ERANGE)
		return text_format(
		    &plan->arena,
		    "has %s, which is an address within its network: set the bits after the prefix to 0",
		    text);
	if (r == -EDOM)
		return text_format(&plan->arena,
				   "has %s, which is no range: the first address must come before the "
				   "second, and both must be IPv4 or both IPv6",
				   text);
	if (r < 0)
		return text_format(
		    &plan->arena,
		    "has %s, which is neither an address, a network or a range nor one of ccc, clear, zos, certificates=FILE",
		    text);
	partner->networks =
	    text_join(&plan->arena, partner->networks, ", ", text_format(&plan->arena, "\"%s\"", text));
	return NULL;
}

static const char *take_need(struct init_plan *plan, const char *text, struct init_partner *partner)
{
	static const char certificates[] = "certificates=";
	const struct {
		const char *word;
		bool *flag;
	} words[] = { { "ccc", &partner->ccc }, { "clear", &partner->clear }, { "zos", &partner->zos } };

	for (size_t i = 0; i < NELEM(words); i++)
		if (strcmp(text, words[i].word) == 0) {
			*words[i].flag = true;
			return NULL;
		}
	if (strncmp(text, certificates, strlen(certificates)) == 0)
		return take_file(plan, text + strlen(certificates), &partner->trust);
	return take_network(plan, text, partner);
}

const char *init_take_partner(struct init_plan *plan, const char *text)
{
	struct init_partner partner = { .networks = "" };
	const char *equals = strchr(text, '=');
	const char *wrong = NULL;

	if (equals == NULL)
		return "is not NAME=NETWORK[,NETWORK...][,certificates=FILE][,ccc][,clear][,zos]";
	partner.name = text_copy(&plan->arena, text, (size_t)(equals - text));
	if (!policy_is_name(partner.name))
		return "begins with a name that a policy cannot have: use 1 to 32 letters, digits, _, . and -";
	if (is_taken(plan, partner.name))
		return text_format(&plan->arena, "has a name that is taken: %s", partner.name);
	if (plan->npartners == INIT_PARTNERS_MAX)
		return "is one partner too many";
	for (const char *at = equals + 1, *end; wrong == NULL && at != NULL;
	     at = *end != '\0' ? end + 1 : NULL) {
		end = at + strcspn(at, ",");
		wrong = take_need(plan, text_copy(&plan->arena, at, (size_t)(end - at)), &partner);
	}
	if (wrong != NULL)
		return wrong;
	if (partner.networks[0] == '\0')
		return "has no network";
	if (partner.clear && partner.trust != NULL)
		return "needs both clear and certificates, but a client in the clear shows no certificate";
	plan->partners[plan->npartners++] = partner;
	return NULL;
}

const char *init_plan_check(const struct init_plan *plan)
{
	if (plan->throwaway && plan->nnames == 0)
		return "a throwaway certificate needs --name: the host name that clients connect to";
	if (plan->port != NULL && plan->implicit_port != NULL && strcmp(plan->port, plan->implicit_port) == 0)
		return "--port and --implicit-port are the same";
	if (plan->partners_only && plan->npartners == 0)
		return "--partners-only needs a --partner, or nobody could connect";
	return NULL;
}

void init_plan_done(struct init_plan *plan)
{
	arena_done(&plan->arena);
	*plan = (struct init_plan){ .backend = NULL };
}
