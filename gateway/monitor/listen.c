/*
 * Opens the listening sockets of a policy, moves those that a reload keeps, and
 * explains why an address is not available.
 */
#include "gateway/monitor/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"

#define CONTROL_BACKLOG 1024

/*
 * Print what is wrong with an address, and what the administrator can do about it. passed: what is wrong with
 * a socket of the service manager; "": that is not the reason.
 */
static void explain(const struct policy_listener *listener, int error, const char *passed,
		    const struct diags *source)
{
	char text[IP_TEXT_MAX];
	struct diags diags;

	if (diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return;
	(void)ip_endpoint_format(&listener->endpoint, text);
	if (passed[0] != '\0')
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" cannot listen on %s: %s", listener->name, text, passed);
	else if (error == EACCES)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" cannot listen on %s: a port this low needs CAP_NET_BIND_SERVICE; "
			  "start attlsd as root, or give it the capability "
			  "(setcap cap_net_bind_service+ep attlsd), or choose port 1024 or higher",
			  listener->name, text);
	else if (error == EPERM && listener->transparent)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" is transparent, which needs CAP_NET_ADMIN; start attlsd as root, "
			  "or give it the capability (setcap cap_net_admin+ep attlsd)",
			  listener->name);
	else if (error == EADDRINUSE)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" cannot listen on %s: another program is listening there "
			  "(ss -ltnp shows which)",
			  listener->name, text);
	else if (error == EADDRNOTAVAIL)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" cannot listen on %s: no interface of this host has that address",
			  listener->name, text);
	else
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, listener->address_mark,
			  "listener \"%s\" cannot listen on %s: %s", listener->name, text, strerror(error));
	log_diags(&diags);
	diags_done(&diags);
}

/*
 * The socket in `set` with the same address; if the kernel chose the port, the name
 * has to agree, too.
 */
static struct listener *find_same(const struct listener_set *set, const struct listener *wanted)
{
	for (size_t i = 0; i < set->n; i++) {
		struct listener *item = &set->items[i];

		if (item->watch.fd != -1 && ip_endpoint_equal(&item->endpoint, &wanted->endpoint) &&
		    (item->endpoint.port != 0 || strcmp(item->name, wanted->name) == 0))
			return item;
	}
	return NULL;
}

/* Returns 0, or a negative errno after it has printed why. */
static int open_one(struct listener *item, const struct policy_listener *listener,
		    const struct activated *activated, const struct diags *diags)
{
	char passed[ACTIVATED_REASON_MAX] = "";
	int fd = activated_take(activated, &item->endpoint, listener->transparent, passed);

	item->activated = fd >= 0;
	if (fd == -ENOENT)
		fd = netsock_listen(&item->endpoint, CONTROL_BACKLOG, listener->transparent);
	if (fd >= 0) {
		item->watch.fd = fd;
		return 0;
	}
	if (passed[0] == '\0' && fd == -EADDRINUSE)
		(void)activated_explain(activated, &item->endpoint, passed);
	explain(listener, -fd, passed, diags);
	return fd;
}

int listener_set_open(struct listener_set *set, const struct policy *policy, const struct listener_set *old,
		      const struct activated *activated, watch_fn *fn, void *owner, const struct diags *diags)
{
	int first_error = 0;

	*set = (struct listener_set){ .n = policy->nlisteners };
	set->items = calloc(policy->nlisteners, sizeof(*set->items));
	if (set->items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		const struct policy_listener *listener = &policy->listeners[i];
		struct listener *item = &set->items[i];

		watch_init(&item->watch, fn);
		(void)strncpy(item->name, listener->name, sizeof(item->name) - 1);
		item->endpoint = listener->endpoint;
		item->index = i;
		item->owner = owner;
	}
	for (size_t i = 0; i < set->n; i++) {
		struct listener *item = &set->items[i];
		int r = find_same(old, item) != NULL
			    ? 0
			    : open_one(item, &policy->listeners[i], activated, diags);

		if (first_error == 0)
			first_error = r;
	}
	if (first_error < 0)
		listener_set_close(set, NULL);
	return first_error;
}

int listener_set_reserve(struct listener_set *set, size_t n)
{
	struct listener *items = calloc(n + 1, sizeof(*items));

	if (items == NULL)
		return -ENOMEM;
	*set = (struct listener_set){ .items = items };
	return 0;
}

void listener_set_adopt(struct listener_set *set, const char *name, const struct ip_endpoint *endpoint,
			int fd, bool activated)
{
	struct listener *item = &set->items[set->n++];

	watch_init(&item->watch, NULL);
	(void)strncpy(item->name, name, sizeof(item->name) - 1);
	item->endpoint = *endpoint;
	item->activated = activated;
	item->watch.fd = fd;
}

void listener_set_replace(struct listener_set *set, struct listener_set *old, struct loop *loop)
{
	for (size_t i = 0; i < set->n; i++) {
		struct listener *same = set->items[i].watch.fd == -1 ? find_same(old, &set->items[i]) : NULL;

		if (same == NULL)
			continue;
		loop_unwatch(loop, &same->watch);
		set->items[i].watch.fd = fd_take(&same->watch.fd);
		set->items[i].activated = same->activated;
	}
	listener_set_close(old, loop);
}

int listener_set_accept(struct listener_set *set, struct loop *loop, bool on)
{
	for (size_t i = 0; i < set->n; i++) {
		struct watch *watch = &set->items[i].watch;
		int r;

		if (watch->fd == -1)
			continue;
		r = loop_watch(loop, watch, on ? EPOLLIN : 0);
		if (r < 0)
			return r;
	}
	return 0;
}

void listener_set_close(struct listener_set *set, struct loop *loop)
{
	for (size_t i = 0; i < set->n; i++) {
		if (loop != NULL && set->items[i].watch.fd != -1)
			loop_unwatch(loop, &set->items[i].watch);
		fd_close(&set->items[i].watch.fd);
	}
	free(set->items);
	*set = (struct listener_set){ .items = NULL };
}

void listener_set_log(const struct listener_set *set, const char *event, const char *policy_sha256)
{
	struct log_field fields[64] = { LOG_NUMBER("pid", getpid()), /* for kill(1) */
					LOG_TEXT("policy_sha256", policy_sha256) };
	char texts[NELEM(fields)][IP_TEXT_MAX];
	struct ip_endpoint local;

	for (size_t i = 0; i < set->n && i < NELEM(fields) - 3; i++) {
		const struct listener *listener = &set->items[i];

		if (netsock_local(listener->watch.fd, &local) < 0)
			local = listener->endpoint;
		fields[i + 2].key = listener->name;
		fields[i + 2].text = ip_endpoint_format(&local, texts[i]);
	}
	log_write(LOG_LEVEL_INFO, event, fields);
}
