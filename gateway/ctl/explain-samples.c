/*
 * Finds the clients to explain. Rules and nat.advertise match ranges, so what
 * happens to a client can change only at the ends of a range. One address from each
 * gap between these ends therefore stands for all clients.
 */
#include "gateway/ctl/explain-samples.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/ctl/explain-to.h"
#include "gateway/ctl/moment.h"
#include "gateway/ctl/usage.h"

/* Addresses for documentation (RFC 5737, RFC 3849), where nothing else is given. */
static const char *const example_clients[] = { "198.51.100.7", "2001:db8:1::7" };
static const char *const example_locals[] = { "192.0.2.1", "2001:db8::1" };

#define PATH_BYTES_MAX 255 /* as in `access` */

struct addresses {
	struct ip_addr *items;
	size_t n;
	bool failed;
};

/* What tells clients apart. */
struct treatment {
	const struct policy_rule *rules[2];
	struct ip_endpoint advertised[2];
	const char *servers[2]; /* whose name the server must have, if the policy has several; NULL: none */
};

static void add_address(struct addresses *to, const struct ip_addr *addr)
{
	struct ip_addr *more;

	for (size_t i = 0; i < to->n; i++)
		if (ip_addr_equal(&to->items[i], addr))
			return;
	more = realloc(to->items, (to->n + 1) * sizeof(*more));
	if (more == NULL) {
		to->failed = true;
		return;
	}
	to->items = more;
	to->items[to->n++] = *addr;
}

static struct ip_addr parse(const char *text)
{
	struct ip_addr addr = { .family = IP_NONE };

	(void)ip_addr_parse(text, strlen(text), &addr); /* IP_NONE says that it failed */
	return addr;
}

/* One address in each of the gaps that this range begins or ends: a host first, since that reads better. */
static void add_range(struct addresses *to, const struct ip_range *range, enum ip_family family)
{
	struct ip_addr addr = range->low;

	if (addr.family != family)
		return;
	if (ip_addr_next(&addr) && ip_range_contains(range, &addr))
		add_address(to, &addr);
	add_address(to, &range->low);
	addr = range->high;
	if (ip_addr_next(&addr))
		add_address(to, &addr);
}

static void add_ranges(struct addresses *to, const struct ip_range *ranges, size_t n, enum ip_family family)
{
	for (size_t i = 0; i < n; i++)
		add_range(to, &ranges[i], family);
}

static void add_hosts(struct addresses *to, const struct policy_host *hosts, size_t n, enum ip_family family)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < hosts[i].naddresses; j++)
			if (hosts[i].addresses[j].family == family)
				add_address(to, &hosts[i].addresses[j]);
}

/* The first address of all, for the gap before the first network. */
static void add_first(struct addresses *to, enum ip_family family)
{
	struct ip_addr addr = { .family = family };

	if (ip_addr_next(&addr))
		add_address(to, &addr);
}

static const struct policy_listener *find_listener(const struct policy *policy, const char *name)
{
	for (size_t i = 0; policy != NULL && i < policy->nlisteners; i++)
		if (strcmp(policy->listeners[i].name, name) == 0)
			return &policy->listeners[i];
	return NULL;
}

/* A transparent listener takes connections to any address. */
static bool has_any_local(const struct policy_listener *listener)
{
	return listener->transparent || ip_addr_is_any(&listener->endpoint.addr);
}

/* The port that clients dial: rules of the firewall lead the standard ports to a transparent listener. */
static uint16_t usual_port(const struct policy_listener *listener)
{
	if (!listener->transparent)
		return listener->endpoint.port;
	return listener->tls == LISTENER_IMPLICIT ? FTPS_PORT : FTP_PORT;
}

bool explain_sample_place(const struct explain_sample *sample, const struct policy *policy,
			  struct explain_place *ret_place)
{
	const struct policy_listener *listener = find_listener(policy, sample->listener);

	if (listener == NULL || listener->endpoint.addr.family != sample->remote.family ||
	    (!has_any_local(listener) && !ip_addr_equal(&listener->endpoint.addr, &sample->local.addr)))
		return false;
	*ret_place = (struct explain_place){
		.flow = { .listener = listener,
			  .remote = sample->remote,
			  .local = sample->local.addr,
			  .at_s = sample->at_s },
		.local_port = sample->local.port != 0 ? sample->local.port : usual_port(listener),
		.local_is_example = sample->local_is_example,
	};
	return true;
}

/* The name that the policy has for a server with TLS; "": it has none, NULL: it is not dialled. */
static const char *server_of(const struct policy_rule *rule, const struct ip_addr *local)
{
	char text[IP_TEXT_MAX];
	const char *name = rule->backend->tls != NULL && rule->backend->original
			       ? policy_server_name(rule, &rule->backend->servers[0], local, text)
			       : "";

	return name == text ? "" : name;
}

static struct treatment treat(const struct policy *const policies[2], const struct explain_sample *sample)
{
	struct treatment treatment = { .rules = { NULL, NULL } };
	struct explain_place place;

	for (size_t i = 0; i < 2; i++) {
		const struct policy_rule *rule = NULL;
		struct ip_endpoint own = { .addr = sample->local.addr };

		if (policies[i] != NULL && explain_sample_place(sample, policies[i], &place))
			rule = policy_match(policies[i], &place.flow);
		if (rule == NULL)
			continue;
		treatment.rules[i] = rule;
		treatment.servers[i] = server_of(rule, &sample->local.addr);
		own.port = rule->ftp->passivedataports.low;
		treatment.advertised[i] = policy_advertised(policies[i], rule->ftp, &sample->remote, &own);
		/* without NAT it is the address that the client dialled, which is no difference */
		if (ip_endpoint_equal(&treatment.advertised[i], &own))
			treatment.advertised[i] = (struct ip_endpoint){ .port = 0 };
	}
	return treatment;
}

static bool same_treatment(const struct treatment *a, const struct treatment *b)
{
	for (size_t i = 0; i < 2; i++)
		if (a->rules[i] != b->rules[i] || a->servers[i] != b->servers[i] ||
		    !ip_endpoint_equal(&a->advertised[i], &b->advertised[i]))
			return false;
	return true;
}

/* The addresses that clients have, and those that they dial: the ones that were asked about, or all that
 * count. */
static void list_addresses(const struct policy *const policies[2], const struct policy_listener *listener,
			   const struct explain_question *question, const struct explain_dialled *local,
			   struct addresses *remotes, struct addresses *locals)
{
	enum ip_family family = listener->endpoint.addr.family;
	struct ip_addr addr =
	    parse(question->address != NULL ? question->address : example_clients[family == IP_V6]);

	add_address(remotes, &addr);
	for (size_t i = 0; i < local->n; i++)
		if (local->addresses[i].family == family)
			add_address(locals, &local->addresses[i]);
	addr = has_any_local(listener) ? parse(example_locals[family == IP_V6]) : listener->endpoint.addr;
	if (local->n == 0)
		add_address(locals, &addr);
	for (size_t i = 0; i < 2 && policies[i] != NULL; i++) {
		const struct policy_nat *nat = &policies[i]->nat;

		for (size_t j = 0; j < policies[i]->nrules; j++) {
			const struct policy_rule *rule = &policies[i]->rules[j];

			if (question->address == NULL)
				add_ranges(remotes, rule->remote_addrs, rule->nremote_addrs, family);
			if (local->n > 0 || !has_any_local(listener))
				continue;
			add_ranges(locals, rule->local_addrs, rule->nlocal_addrs, family);
			add_hosts(locals, rule->destinations, rule->ndestinations, family);
			add_hosts(locals, rule->backend->hosts, rule->backend->nhosts, family);
		}
		for (size_t j = 0; j < nat->nadvertise && question->address == NULL; j++)
			add_ranges(remotes, nat->advertise[j].to, nat->advertise[j].nto, family);
	}
	if (question->address == NULL)
		add_first(remotes, family);
}

static int add_sample(struct explain_samples *samples, struct treatment **treatments,
		      const struct explain_sample *sample, const struct treatment *treatment)
{
	struct explain_sample *items = realloc(samples->items, (samples->n + 1) * sizeof(*items));
	struct treatment *more = realloc(*treatments, (samples->n + 1) * sizeof(*more));

	samples->items = items != NULL ? items : samples->items;
	*treatments = more != NULL ? more : *treatments;
	if (items == NULL || more == NULL)
		return -1;
	items[samples->n] = *sample;
	more[samples->n++] = *treatment;
	return 0;
}

/* The clients of a listener, one for each treatment. Returns 0 or -1: no memory. */
static int sample_listener(const struct policy *const policies[2], const struct policy_listener *listener,
			   const struct explain_question *question, const struct explain_dialled *local,
			   int64_t at_s, struct explain_samples *samples)
{
	struct addresses remotes = { .n = 0 }, locals = { .n = 0 };
	struct explain_samples own = { .n = 0 };
	struct treatment *treatments = NULL;
	int r = 0;

	list_addresses(policies, listener, question, local, &remotes, &locals);
	if (remotes.failed || locals.failed)
		r = -1;
	for (size_t i = 0; r == 0 && i < remotes.n * locals.n; i++) {
		const struct explain_sample sample = {
			.listener = listener->name,
			.remote = remotes.items[i / locals.n],
			.local = { .addr = locals.items[i % locals.n], .port = local->port },
			.at_s = at_s,
			.local_is_example = local->n == 0 && has_any_local(listener),
		};
		const struct treatment treatment = treat(policies, &sample);
		bool known = false;

		for (size_t j = 0; j < own.n && !known; j++)
			known = same_treatment(&treatment, &treatments[j]);
		if (!known)
			r = add_sample(&own, &treatments, &sample, &treatment);
	}
	if (r == 0 && own.n > 0) {
		struct explain_sample *items = realloc(samples->items, (samples->n + own.n) * sizeof(*items));

		r = items != NULL ? 0 : -1;
		samples->items = items != NULL ? items : samples->items;
		for (size_t i = 0; i < own.n && r == 0; i++)
			samples->items[samples->n++] = own.items[i];
	}
	explain_samples_free(&own);
	free(treatments);
	free(remotes.items);
	free(locals.items);
	return r;
}

static bool asks_for_local(const struct policy *policy)
{
	for (size_t i = 0; policy != NULL && i < policy->nrules; i++)
		if (policy->rules[i].nlocal_addrs > 0 || policy->rules[i].ndestinations > 0)
			return true;
	return false;
}

/* Can clients dial one of these addresses and come to this listener? */
static bool is_at(const struct policy_listener *listener, const struct explain_dialled *local)
{
	for (size_t i = 0; i < local->n; i++)
		if (local->addresses[i].family == listener->endpoint.addr.family &&
		    (has_any_local(listener) ||
		     ip_addr_equal(&local->addresses[i], &listener->endpoint.addr)))
			return true;
	return false;
}

/* Can the client that is described be one of this listener's? Prints why not if it is the one that was named.
 */
static int check_listener(const struct policy *const policies[2], const struct policy_listener *listener,
			  const struct explain_question *question, const struct explain_dialled *local)
{
	const struct ip_addr *listening = &listener->endpoint.addr;
	bool named = question->listener != NULL;

	if (question->address != NULL && parse(question->address).family != listening->family)
		return !named ? EXIT_USAGE
			      : usage_fault("this listener has no clients of that address family:",
					    question->address);
	if (question->to != NULL && !listener->transparent)
		return !named ? EXIT_USAGE
			      : usage_fault(
				    "clients of this listener reach no other host: it is not transparent:",
				    listener->name);
	if (local->n > 0 && !is_at(listener, local))
		return !named ? EXIT_USAGE
			      : usage_fault("this listener is not at",
					    question->local != NULL ? question->local : question->to);
	if (named && question->address != NULL && local->n == 0 && has_any_local(listener) &&
	    (asks_for_local(policies[0]) || asks_for_local(policies[1])))
		return usage_fault(
		    "rules of this policy depend on the address that was dialled: give --local", "");
	return 0;
}

/* Does the first policy have this listener of the second, too? */
static bool is_known(const struct policy *first, const struct policy_listener *listener)
{
	const struct policy_listener *other = find_listener(first, listener->name);

	return other != NULL && ip_addr_equal(&other->endpoint.addr, &listener->endpoint.addr) &&
	       other->transparent == listener->transparent;
}

/* Is it one that a command can carry? */
static bool is_path(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)path[i]))
			return false;
	return len > 0 && len <= PATH_BYTES_MAX;
}

static int unknown_listener(const struct policy *policy, const char *name)
{
	(void)fprintf(stderr, "attlsctl: the policy has no listener %s; it has", name);
	for (size_t i = 0; i < policy->nlisteners; i++)
		(void)fprintf(stderr, "%s %s", i > 0 ? "," : "", policy->listeners[i].name);
	(void)fputc('\n', stderr);
	return EXIT_USAGE;
}

static int check_words(const struct policy *const policies[2], const struct explain_question *question,
		       struct explain_dialled *ret_local, int64_t *ret_at_s)
{
	if (question->listener != NULL && find_listener(policies[0], question->listener) == NULL &&
	    find_listener(policies[1], question->listener) == NULL)
		return unknown_listener(policies[0], question->listener);
	if (question->address != NULL && parse(question->address).family == IP_NONE)
		return usage_fault("not an IP address:", question->address);
	if (question->at != NULL && !moment_parse(question->at, ret_at_s))
		return usage_fault("--at needs a date such as 2026-11-30, 2026-11-30T18:00 or (in UTC) "
				   "2026-11-30T18:00Z, not",
				   question->at);
	if (question->path != NULL && !is_path(question->path))
		return usage_fault("--path needs a path of 1 to 255 bytes without control characters, not",
				   question->path);
	if (question->local != NULL && question->to != NULL)
		return usage_fault(
		    "--to and --local both give the address that the client dials: use one of them", "");
	if (question->local != NULL && !explain_dialled_parse(question->local, ret_local))
		return usage_fault("not an IP address, with or without a port:", question->local);
	return question->to != NULL ? explain_dialled_look_up(question->to, ret_local) : 0;
}

int explain_samples_make(const struct policy *a, const struct policy *b,
			 const struct explain_question *question, struct explain_samples *samples)
{
	const struct policy *const policies[2] = { a, b };
	struct explain_dialled local = { .n = 0 };
	int64_t at_s = (int64_t)time(NULL);
	int status = check_words(policies, question, &local, &at_s);

	for (size_t i = 0; i < 2 && policies[i] != NULL && status == 0; i++)
		for (size_t j = 0; j < policies[i]->nlisteners && status == 0; j++) {
			const struct policy_listener *listener = &policies[i]->listeners[j];

			if ((question->listener != NULL && strcmp(listener->name, question->listener) != 0) ||
			    (i == 1 && is_known(a, listener)))
				continue;
			status = check_listener(policies, listener, question, &local);
			if (status != 0 && question->listener == NULL) {
				status = 0; /* clients of other listeners are meant */
			} else if (status == 0 &&
				   sample_listener(policies, listener, question, &local, at_s, samples) < 0) {
				(void)fputs("attlsctl: not enough memory\n", stderr);
				status = EXIT_FAILURE;
			}
		}
	if (status == 0 && samples->n == 0)
		status = usage_fault("no listener has such clients", "");
	return status;
}

void explain_samples_free(struct explain_samples *samples)
{
	free(samples->items);
	*samples = (struct explain_samples){ .n = 0 };
}
