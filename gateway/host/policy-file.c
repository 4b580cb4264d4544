/*
 * Reads the policy's file and resolves what it names: time zones, hosts and the addresses
 * of interfaces. All of this happens before a worker starts, because a worker waits
 * for no file and no name server.
 */
#include "gateway/host/policy-file.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/name-ttl.h"
#include "gateway/host/policy-zones.h"

/* policy/ refuses larger ones too; this keeps a wrong path (a log, a device) from being read whole. */
#define POLICY_FILE_MAX (1024 * 1024 + 1)

static int read_whole(const char *path, char **ret_text, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(POLICY_FILE_MAX);
	ssize_t n;

	if (fd == -1)
		n = -errno;
	else
		n = text != NULL ? fd_read_all(fd, text, POLICY_FILE_MAX) : -ENOMEM;
	fd_close(&fd);
	if (n < 0) {
		free(text);
		return (int)n;
	}
	*ret_text = text;
	*ret_len = (size_t)n;
	return 0;
}

/* The folder of a path with its slash, "" when it has none. Relative paths of a policy start there. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? strdup("") : strndup(path, (size_t)(slash - path) + 1);
}

static struct ip_addr addr_from(const struct sockaddr *from)
{
	const void *any = from;

	if (from->sa_family == AF_INET)
		return ip_addr_make(IP_V4, (const uint8_t *)&((const struct sockaddr_in *)any)->sin_addr);
	return ip_addr_make(IP_V6, (const uint8_t *)&((const struct sockaddr_in6 *)any)->sin6_addr);
}

/* What does not come from the DNS (a file of hosts, an interface) may change at any time. */
#define GOOD_S 300
/* A name that has not been found again. */
#define FAILED_S  60
#define FAULT_MAX 640 /* our longest text, with two names */

/* What all look-ups share. */
struct resolver {
	struct diags *diags;
	policy_file_kept_fn *kept; /* NULL: a name that is not found is a fault of the policy */
	policy_file_step_fn *fn;
	void *context;
	bool asks_ttl;
	uint32_t good_s; /* for how long all that has been looked up is good; UINT32_MAX: nothing has been */
};

static void note_good(struct resolver *resolver, uint32_t good_s)
{
	if (good_s < resolver->good_s)
		resolver->good_s = good_s;
}

/*
 * A name or an interface has no address that could be used. When it is looked up again, that
 * concerns nobody else: it keeps those that it has.
 */
static void fault(struct resolver *resolver, enum diag_code code, struct diag_mark mark, const char *name,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
static void fault(struct resolver *resolver, enum diag_code code, struct diag_mark mark, const char *name,
		  const char *format, ...)
{
	char text[FAULT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (resolver->kept == NULL) {
		diags_add(resolver->diags, DIAG_ERROR, code, mark, "%s", text);
		return;
	}
	note_good(resolver, FAILED_S);
	resolver->kept(resolver->context, name, text);
}

/* NULL after a message, or what freeaddrinfo() frees. */
static struct addrinfo *look_up(struct resolver *resolver, const char *host, struct diag_mark mark)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC };
	struct addrinfo *found = NULL;
	int r;

	if (resolver->fn != NULL)
		resolver->fn(resolver->context, host);
	r = getaddrinfo(host, NULL, &hints, &found);
	if (r == 0) {
		uint32_t ttl_s = resolver->asks_ttl ? name_ttl(host) : 0;

		note_good(resolver, ttl_s > 0 ? ttl_s : GOOD_S);
		return found;
	}
	fault(resolver, DIAG_UNKNOWN_HOST, mark, host, "cannot resolve \"%s\": %s", host, gai_strerror(r));
	return NULL;
}

/* Names are resolved now: a worker never waits for DNS. Without a result, nothing changes. */
static void resolve(struct resolver *resolver, const char *host, struct diag_mark mark,
		    struct ip_addr addresses[static POLICY_ADDRESSES_MAX], size_t *n_addresses)
{
	struct addrinfo *found = look_up(resolver, host, mark);
	size_t n = 0;

	for (const struct addrinfo *one = found; one != NULL && n < POLICY_ADDRESSES_MAX; one = one->ai_next)
		if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
			addresses[n++] = addr_from(one->ai_addr);
	if (found != NULL)
		freeaddrinfo(found);
	if (n > 0)
		*n_addresses = n;
}

static void resolve_hosts(struct resolver *resolver, struct policy_host *hosts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		resolve(resolver, hosts[i].name, hosts[i].mark, hosts[i].addresses, &hosts[i].naddresses);
}

static void resolve_server(struct resolver *resolver, struct policy_server *server)
{
	if (server->host == NULL) /* the client chooses the server */
		return;
	/* a name that has been looked up before has addresses in both places */
	if (server->naddresses == 0 && server->endpoint.addr.family != IP_NONE)
		return;
	resolve(resolver, server->host, server->mark, server->addresses, &server->naddresses);
	if (server->naddresses > 0)
		server->endpoint.addr = server->addresses[0];
}

static bool is_of_this_host(const struct ip_addr *addr, const struct ifaddrs *all)
{
	for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		struct ip_addr own;

		if (one->ifa_addr == NULL ||
		    (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6))
			continue;
		own = addr_from(one->ifa_addr);
		if (ip_addr_equal(&own, addr))
			return true;
	}
	return false;
}

/* policy/ knows the text only: here each address is compared, and with those of this host. */
static bool is_own(struct resolver *resolver, const struct policy *policy,
		   const struct policy_backend *backend, const struct policy_server *server,
		   const struct ip_endpoint *at, const struct ifaddrs *all)
{
	bool local = is_of_this_host(&at->addr, all);
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy_is_own_listener(at, local, &policy->listeners[i])) {
			fault(resolver, DIAG_DIALS_ITSELF, server->mark, server->host,
			      "backends \"%s\" leads to listeners \"%s\" (\"%s\" is %s here): attlsd would "
			      "connect to itself; give the server a name, address or port of its own",
			      backend->name, policy->listeners[i].name, server->host,
			      ip_endpoint_format(at, text));
			if (resolver->kept == NULL)
				diags_see(resolver->diags, NULL, policy->listeners[i].address_mark,
					  "listeners \"%s\"", policy->listeners[i].name);
			return true;
		}
	return false;
}

static bool leads_to_us(struct resolver *resolver, const struct policy *policy,
			const struct policy_backend *backend, const struct policy_server *server)
{
	struct ip_endpoint at = server->endpoint;
	struct ifaddrs *all = NULL;
	bool own = false;

	/* without the list, only loopback addresses are known to be this host's */
	if (getifaddrs(&all) == -1)
		all = NULL;
	for (size_t j = 0; server->host != NULL && (j == 0 || j < server->naddresses); j++) {
		if (j < server->naddresses)
			at.addr = server->addresses[j];
		own |= is_own(resolver, policy, backend, server, &at, all);
	}
	freeifaddrs(all);
	return own;
}

/* A server once more. Whoever answers for its name must not make us dial ourselves. */
static void resolve_again(struct resolver *resolver, const struct policy *policy,
			  const struct policy_backend *backend, struct policy_server *server)
{
	const struct policy_server was = *server;

	resolve_server(resolver, server);
	if (leads_to_us(resolver, policy, backend, server))
		*server = was;
}

/* One address of each family, that of an interface or a name. */
struct address_pair {
	struct ip_addr *v4, *v6;
};

/* Addresses from now on; without one, those from before stay when a name is looked up again. */
static void replace(struct address_pair to, const struct ip_addr *v4, const struct ip_addr *v6)
{
	if (v4->family == IP_NONE && v6->family == IP_NONE)
		return;
	*to.v4 = *v4;
	*to.v6 = *v6;
}

/* The first of each family counts. */
static void keep_first(struct address_pair to, const struct sockaddr *from)
{
	struct ip_addr addr;

	if (from->sa_family != AF_INET && from->sa_family != AF_INET6)
		return;
	addr = addr_from(from);
	if (addr.family == IP_V4 && to.v4->family == IP_NONE)
		*to.v4 = addr;
	if (addr.family == IP_V6 && to.v6->family == IP_NONE)
		*to.v6 = addr;
}

/* Such an address needs a zone, which no FTP reply can carry. */
static bool is_link_local(const struct sockaddr *from)
{
	const void *any = from;

	return from->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)any)->sin6_addr);
}

static void resolve_interface(struct resolver *resolver, const char *interface, struct diag_mark mark,
			      struct address_pair to)
{
	struct ip_addr v4 = { .family = IP_NONE }, v6 = { .family = IP_NONE };
	const struct address_pair found = { &v4, &v6 };
	struct ifaddrs *all = NULL;
	bool known = false;

	note_good(resolver, GOOD_S);
	if (getifaddrs(&all) == -1) {
		fault(resolver, DIAG_NO_INTERFACE, mark, interface, "cannot list the interfaces: %s",
		      strerror(errno));
		return;
	}
	for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		if (strcmp(one->ifa_name, interface) != 0)
			continue;
		known = true;
		if (one->ifa_addr != NULL && !is_link_local(one->ifa_addr))
			keep_first(found, one->ifa_addr);
	}
	freeifaddrs(all);
	if (!known)
		fault(resolver, DIAG_NO_INTERFACE, mark, interface,
		      "this host has no interface \"%s\" (ip -br addr lists them)", interface);
	else if (v4.family == IP_NONE && v6.family == IP_NONE)
		fault(resolver, DIAG_NO_INTERFACE, mark, interface,
		      "interface \"%s\" has no address that others could connect to", interface);
	replace(to, &v4, &v6);
}

static void resolve_advertise(struct resolver *resolver, struct policy_advertise *entry)
{
	struct ip_addr v4 = { .family = IP_NONE }, v6 = { .family = IP_NONE };
	const struct address_pair to = { &entry->v4, &entry->v6 }, first = { &v4, &v6 };
	struct addrinfo *found;

	if (entry->interface != NULL)
		resolve_interface(resolver, entry->interface, entry->address_mark, to);
	if (entry->host == NULL)
		return;
	found = look_up(resolver, entry->host, entry->address_mark);
	for (const struct addrinfo *one = found; one != NULL; one = one->ai_next)
		keep_first(first, one->ai_addr);
	replace(to, &v4, &v6);
	if (found != NULL)
		freeaddrinfo(found);
}

static bool is_here(const struct ip_addr *addr, const struct ifaddrs *all)
{
	return addr->family == IP_NONE || is_of_this_host(addr, all);
}

/* An interface must be there; an address may come later, with a router or a cluster that fails over. */
static void resolve_source(struct resolver *resolver, struct policy_backend *backend)
{
	const struct address_pair to = { &backend->source_v4, &backend->source_v6 };
	struct ifaddrs *all = NULL;

	if (backend->source_interface != NULL)
		resolve_interface(resolver, backend->source_interface, backend->source_mark, to);
	else if (backend->source == BACKEND_SOURCE_ADDRESS && getifaddrs(&all) == 0 &&
		 (!is_here(to.v4, all) || !is_here(to.v6, all)))
		diags_add(
		    resolver->diags, DIAG_WARNING, DIAG_NO_INTERFACE, backend->source_mark,
		    "no interface of this host has the \"source\" of backends \"%s\", so the server cannot "
		    "be dialled (ip -br addr lists them)",
		    backend->name);
	freeifaddrs(all);
}

static int read_file(const char *path, const char *what, struct diags *diags, char **ret_text,
		     size_t *ret_len)
{
	int r = read_whole(path, ret_text, ret_len);

	if (r < 0 && diags_init(diags, path, NULL, 0) == 0)
		diags_add(diags, DIAG_ERROR, DIAG_POLICY_UNREADABLE, (struct diag_mark){ 0 },
			  "cannot read %s: %s", what, strerror(-r));
	return r;
}

int policy_file_read(const char *path, struct diags *diags, char **ret_text, size_t *ret_len)
{
	return read_file(path, "the policy", diags, ret_text, ret_len);
}

int policy_file_read_own(const char *path, struct diags *diags, char **ret_text, size_t *ret_len)
{
	return read_file(path, "the file of this node (-N)", diags, ret_text, ret_len);
}

int policy_file_parse(const char *path, const char *text, size_t len, const struct policy_own_text *own,
		      struct diags *diags, struct policy **ret_policy)
{
	char *folder = folder_of(path);
	struct policy *policy = NULL;
	int r = diags_init(diags, path, text, len);

	if (r == 0 && own != NULL && own->text != NULL)
		r = diags_add_own(diags, own->file, own->text, own->len);
	if (r == 0)
		r = folder == NULL ? -ENOMEM : policy_parse_own(text, len, folder, own, diags, &policy);
	if (r == 0)
		r = policy_zones_load(policy, diags);
	if (r == 0)
		*ret_policy = policy;
	else
		policy_free(&policy);
	free(folder);
	return r;
}

/* All names but those of backends' addresses. */
static void resolve_others(struct resolver *resolver, struct policy *policy)
{
	for (size_t i = 0; i < policy->nbackends; i++) {
		resolve_hosts(resolver, policy->backends[i].hosts, policy->backends[i].nhosts);
		resolve_source(resolver, &policy->backends[i]);
	}
	for (size_t i = 0; i < policy->nat.nadvertise; i++)
		resolve_advertise(resolver, &policy->nat.advertise[i]);
	for (size_t i = 0; i < policy->nrules; i++)
		resolve_hosts(resolver, policy->rules[i].destinations, policy->rules[i].ndestinations);
}

static uint32_t good_for_s(const struct resolver *resolver)
{
	return resolver->good_s == UINT32_MAX ? 0 : resolver->good_s;
}

int policy_file_resolve(struct policy *policy, struct diags *diags, policy_file_step_fn *fn, void *context,
			uint32_t *ret_good_s)
{
	struct resolver resolver = {
		.diags = diags,
		.fn = fn,
		.context = context,
		.asks_ttl = ret_good_s != NULL,
		.good_s = UINT32_MAX,
	};
	size_t errors = diags->nerrors;

	for (size_t i = 0; i < policy->nbackends; i++)
		for (size_t j = 0; j < policy->backends[i].nservers; j++)
			resolve_server(&resolver, &policy->backends[i].servers[j]);
	resolve_others(&resolver, policy);
	if (ret_good_s != NULL)
		*ret_good_s = good_for_s(&resolver);
	if (diags->nerrors > errors)
		return -EHOSTUNREACH; /* they may be there later */
	for (size_t i = 0; i < policy->nbackends; i++)
		for (size_t j = 0; j < policy->backends[i].nservers; j++)
			(void)leads_to_us(&resolver, policy, &policy->backends[i],
					  &policy->backends[i].servers[j]);
	return diags->nerrors > errors ? -EINVAL : 0;
}

void policy_file_resolve_again(struct policy *policy, struct diags *diags, policy_file_step_fn *fn,
			       policy_file_kept_fn *kept, void *context, uint32_t *ret_good_s)
{
	struct resolver resolver = {
		.diags = diags,
		.kept = kept,
		.fn = fn,
		.context = context,
		.asks_ttl = true,
		.good_s = UINT32_MAX,
	};

	for (size_t i = 0; i < policy->nbackends; i++)
		for (size_t j = 0; j < policy->backends[i].nservers; j++)
			resolve_again(&resolver, policy, &policy->backends[i],
				      &policy->backends[i].servers[j]);
	resolve_others(&resolver, policy);
	*ret_good_s = good_for_s(&resolver);
}

int policy_file_load(const char *path, const char *own, struct diags *diags, struct policy **ret_policy)
{
	struct policy_own_text own_text = { .file = own };
	struct policy *policy = NULL;
	char *text = NULL, *mine = NULL;
	size_t len = 0;
	int r = policy_file_read(path, diags, &text, &len);

	if (r == 0 && own != NULL)
		r = policy_file_read_own(own, diags, &mine, &own_text.len);
	own_text.text = mine;
	if (r < 0) {
		free(text);
		return r;
	}
	r = policy_file_parse(path, text, len, &own_text, diags, &policy);
	free(text);
	free(mine);
	if (r == 0)
		r = policy_file_resolve(policy, diags, NULL, NULL, NULL);
	if (r == 0)
		*ret_policy = policy;
	else
		policy_free(&policy);
	return r;
}

int policy_file_peek_control_socket(const char *path, char *buf, size_t size)
{
	char *folder = folder_of(path);
	char *text = NULL;
	size_t len;
	int r = folder == NULL ? -ENOMEM : read_whole(path, &text, &len);

	if (r == 0)
		r = policy_peek_control_socket(text, len, folder, buf, size);
	free(text);
	free(folder);
	return r;
}
