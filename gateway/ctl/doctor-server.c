/*
 * Checks the FTP servers of the policy: connects to each one, waits for its greeting
 * and asks what it is (SYST).
 */
#include "gateway/ctl/doctor-server.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/doctor-server-tls.h"
#include "gateway/ctl/known-servers.h"
#include "gateway/ctl/packet-match.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/net/netsock.h"
#include "gateway/net/proxy-header.h"

#define CONNECT_TIMEOUT_MS  3000
#define GREETING_TIMEOUT_MS 5000
#define SYST_TIMEOUT_MS	    500 /* short, because the answer only helps to name the server */
#define SHOWN_MAX	    80
#define SERVERS_MAX	    16

static bool is_ready(int fd, short event, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = event };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* Returns a connected socket or a negative errno. */
static int dial(const struct ip_endpoint *server)
{
	int fd = netsock_dial(server, NULL, false);
	int r;

	if (fd < 0)
		return fd;
	r = is_ready(fd, POLLOUT, CONNECT_TIMEOUT_MS) ? netsock_error(fd) : -ETIMEDOUT;
	if (r < 0)
		fd_close(&fd);
	return r < 0 ? r : fd;
}

/* The first line that a server sends, safe to print; "" if it sends nothing. */
static void read_answer(int fd, int timeout_ms, char text[static SHOWN_MAX])
{
	ssize_t n = is_ready(fd, POLLIN, timeout_ms) ? recv(fd, text, SHOWN_MAX - 1, 0) : -1;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	for (char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

/* A longer line could end the session, or its end could be run as a command of its own. */
static void report_line_max(struct doctor *doctor, const struct policy_backend *backend,
			    const struct known_server *known)
{
	if (backend->command_line_max <= known->line_max)
		return;
	doctor_fix(doctor, "set command_line_max: %u in backends: %s", known->line_max, backend->name);
	doctor_report(doctor, DOCTOR_WARNING,
		      "backend %s: %s reads command lines of up to %u bytes, but command_line_max is %u",
		      backend->name, known->name, known->line_max, backend->command_line_max);
}

/* Name a known server. Few servers answer SYST before a login, so a missing answer means nothing. */
static void report_known(struct doctor *doctor, const struct policy_backend *backend, const char *greeting,
			 int fd)
{
	const struct known_server *known = known_server_find(greeting, "");
	char syst[SHOWN_MAX];

	if (known == NULL && send(fd, "SYST\r\n", 6, MSG_NOSIGNAL) == 6) {
		read_answer(fd, SYST_TIMEOUT_MS, syst);
		known = known_server_find("", syst);
	}
	if (known != NULL) {
		doctor_ok(doctor, "backend %s: %s %s (docs/SERVERS.md)", backend->name, known->name,
			  known->seen);
		report_line_max(doctor, backend, known);
	}
	(void)send(fd, "QUIT\r\n", 6, MSG_NOSIGNAL);
}

static bool is_greeting(const char *text)
{
	static const char *const codes[] = { "220", "230", "120" }; /* 230: it logs every client in */

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strncmp(text, codes[i], 3) == 0)
			return true;
	return false;
}

/* With `source: client`, the server may accept only clients' addresses, and attlsctl has another. */
static enum doctor_level level_of(const struct policy_backend *backend)
{
	return backend->source == BACKEND_SOURCE_CLIENT ? DOCTOR_CANNOT_TELL : DOCTOR_PROBLEM;
}

static void look_from_client(struct doctor *doctor, const struct policy_backend *backend, const char *where)
{
	if (level_of(backend) == DOCTOR_CANNOT_TELL)
		doctor_look(doctor,
			    "connect to %s from a client: with source: client, the server sees only those",
			    where);
}

static void check_greeting(struct doctor *doctor, const struct policy_backend *backend, const char *where,
			   int fd)
{
	char text[SHOWN_MAX];

	read_answer(fd, GREETING_TIMEOUT_MS, text);
	if (is_greeting(text)) {
		doctor_ok(doctor, "backend %s: %s answers \"%s\"", backend->name, where, text);
		report_known(doctor, backend, text, fd);
		return;
	}
	doctor_fix(doctor, "make the FTP server at %s use cleartext FTP and greet with 220%s", where,
		   backend->proxy == BACKEND_PROXY_NONE ? "" : ", and expect a PROXY header");
	look_from_client(doctor, backend, where);
	if (text[0] == '\0')
		doctor_report(doctor, level_of(backend),
			      "backend %s: %s accepts the connection, but does not greet", backend->name,
			      where);
	else
		doctor_report(doctor, level_of(backend), "backend %s: %s answers \"%s\", not 220",
			      backend->name, where, text);
}

/* As a session does, for a client on this host. A server that does not want it does not greet. */
static void send_proxy_header(const struct policy_backend *backend, const struct ip_endpoint *server, int fd)
{
	const struct proxy_facts facts = { .tls = NULL };
	uint8_t header[PROXY_HEADER_MAX];
	struct ip_endpoint here;
	size_t len;

	if (backend->proxy == BACKEND_PROXY_NONE || netsock_local(fd, &here) < 0)
		return;
	len = backend->proxy == BACKEND_PROXY_V1 ? proxy_header_v1(&here, server, header)
						 : proxy_header_v2(&here, server, &facts, header);
	(void)send(fd, header, len, MSG_NOSIGNAL); /* a short write shows as a greeting that does not come */
}

/* The server at `fd`, which is closed; or a negative errno. */
static void check_answer(struct doctor *doctor, const struct policy_backend *backend,
			 const struct ip_endpoint *server, int fd)
{
	char where[IP_TEXT_MAX];

	(void)ip_endpoint_format(server, where);
	if (fd >= 0) {
		send_proxy_header(backend, server, fd);
		check_greeting(doctor, backend, where, fd);
	} else {
		doctor_fix(doctor, "start the FTP server at %s, or correct the address in backends: %s",
			   where, backend->name);
		look_from_client(doctor, backend, where);
		doctor_report(doctor, level_of(backend), "backend %s: cannot connect to %s: %s",
			      backend->name, where, strerror(-fd));
	}
	fd_close(&fd);
}

static void check_server(struct doctor *doctor, const struct policy_backend *backend,
			 const struct policy_server *named)
{
	struct ip_endpoint server = named->endpoint;
	int fd;

	if (server.addr.family == IP_NONE)
		return;
	fd = dial(&server);
	for (size_t i = 1; fd < 0 && i < named->naddresses; i++) {
		server.addr = named->addresses[i]; /* as sessions do */
		fd = dial(&server);
	}
	check_answer(doctor, backend, &server, fd);
}

/* The servers that the tproxy rule of this listener names one by one. Returns how many. */
static size_t check_diverted(struct doctor *doctor, const struct policy_backend *backend,
			     const struct policy_listener *listener)
{
	enum ip_family family = listener->endpoint.addr.family;
	struct packet_addresses servers[SERVERS_MAX];
	size_t n = 0, tried = 0;
	const json_t *rule = NULL;

	if (listener->transparent && listener->tls != LISTENER_IMPLICIT && doctor->ruleset != NULL)
		rule = ruleset_tproxy_rule(doctor->ruleset, family, listener->endpoint.port);
	if (rule != NULL)
		n = packet_addresses_of(doctor->ruleset, rule, family, servers, NELEM(servers));
	for (size_t i = 0; i < n; i++) {
		struct ip_endpoint server = { .addr = servers[i].low,
					      .port = doctor_dialled_port(doctor, listener) };

		if (!ip_addr_equal(&servers[i].low, &servers[i].high))
			continue; /* a network: nobody knows where in it servers are */
		if (backend->servers[0].endpoint.port != 0)
			server.port = backend->servers[0].endpoint.port;
		check_answer(doctor, backend, &server, dial(&server));
		tried++;
	}
	return tried;
}

/* "original" is the server that each client dials. */
static void check_original(struct doctor *doctor, const struct policy_backend *backend)
{
	size_t tried = 0;

	for (size_t i = 0; i < doctor->policy->nlisteners; i++)
		tried += check_diverted(doctor, backend, &doctor->policy->listeners[i]);
	if (tried > 0)
		return;
	doctor_look(doctor, "ftp SERVER, from this host");
	doctor_cannot_tell(doctor, "backend %s: clients choose the server, and no tproxy rule names it",
			   backend->name);
}

void doctor_check_servers(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nbackends; i++) {
		const struct policy_backend *backend = &doctor->policy->backends[i];

		if (backend->tls != NULL)
			doctor_check_server_tls(doctor, backend);
		else if (backend->original)
			check_original(doctor, backend);
		else
			for (size_t j = 0; j < backend->nservers; j++)
				check_server(doctor, backend, &backend->servers[j]);
	}
}
