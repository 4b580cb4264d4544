/*
 * Looks at an FTP server before a policy is written for it: what is it, what does FEAT name, which ways of
 * data connections does it know, and does it speak TLS itself? If it does, a second connection shows whether
 * it still takes a user name in the clear.
 */
#include "gateway/ctl/init-look.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/ctl/host-port.h"
#include "gateway/ctl/known-servers.h"
#include "gateway/ctl/probe-link.h"
#include "gateway/import/text.h"

#define COMMAND_LINE_MAX_DEFAULT 510

enum {
	CODE_READY = 220,
	CODE_LOGGED_IN = 230,
	CODE_TLS_BEGINS = 234,
	CODE_UNKNOWN = 500,
	CODE_NOT_IMPLEMENTED = 502,
	CODE_NOT_FOR_PARAMETER = 504,
	CODE_ERROR = 400, /* and above */
};

struct look {
	struct init_plan *plan;
	FILE *out;
	struct ip_endpoint server;
	struct probe_link link;
	struct probe_reply reply;
};

/* One line of the result, under a heading. */
static void say(const struct look *look, const char *text)
{
	(void)fprintf(look->out, "  %s\n", text);
}

static const char *first_line(const struct look *look)
{
	return look->reply.nlines > 0 ? look->reply.lines[0] : "";
}

static void restart(struct look *look)
{
	probe_link_close(&look->link);
	look->link = (struct probe_link){ .len = 0 };
}

/* Returns whether the server greets; look->link.error, or its greeting, says why it does not. */
static bool connect_to(struct look *look)
{
	return probe_link_dial(&look->link, &look->server) && probe_link_reply(&look->link, &look->reply) &&
	       (look->reply.code == CODE_READY || look->reply.code == CODE_LOGGED_IN);
}

/* Some servers name themselves only in the middle of a long greeting. */
static const struct known_server *find_known(const struct look *look)
{
	const struct known_server *known = NULL;
	char line[PROBE_TEXT_MAX + 8];

	for (size_t i = 0; known == NULL && i < look->reply.nlines; i++) {
		(void)snprintf(line, sizeof(line), "%u %s", look->reply.code, look->reply.lines[i]);
		known = known_server_find(line, line);
	}
	return known;
}

static void note_known(struct look *look, const struct known_server *known)
{
	look->plan->server = known->name;
	if (known->line_max < COMMAND_LINE_MAX_DEFAULT)
		look->plan->command_line_max = known->line_max;
	(void)fprintf(look->out, "  %s: %s (docs/SERVERS.md)\n", known->name, known->seen);
}

static void look_for_name(struct look *look)
{
	const struct known_server *known = find_known(look);

	(void)fprintf(look->out, "  %u %s\n", look->reply.code, first_line(look));
	if (known == NULL && probe_link_command(&look->link, "SYST", &look->reply))
		known = find_known(look);
	if (known != NULL)
		note_known(look, known);
}

static void look_at_features(struct look *look)
{
	const char *names = "";

	if (!probe_link_command(&look->link, "FEAT", &look->reply))
		return;
	if (look->reply.code >= CODE_ERROR) {
		(void)fprintf(look->out, "  FEAT: %u %s\n", look->reply.code, first_line(look));
		return;
	}
	for (size_t i = 1; i + 1 < look->reply.nlines; i++)
		names = text_join(&look->plan->arena, names, ", ",
				  look->reply.lines[i] + strspn(look->reply.lines[i], " "));
	(void)fprintf(look->out, "  FEAT: %s\n", names);
}

static const char *way_of(unsigned code)
{
	switch (code) {
	case 0:
		return "no answer";
	case CODE_UNKNOWN:
	case CODE_NOT_IMPLEMENTED:
	case CODE_NOT_FOR_PARAMETER:
		return "not known";
	default:
		return code < CODE_ERROR ? "works" : "only after a login";
	}
}

/* attlsd finds out by itself which of them work; this tells the reader what to expect. */
static void look_at_ways(struct look *look)
{
	static const char *const ways[] = { "EPSV", "PASV" };

	for (size_t i = 0; i < NELEM(ways); i++) {
		(void)probe_link_command(&look->link, ways[i], &look->reply);
		(void)fprintf(look->out, "  %s: %s (%u)\n", ways[i], way_of(look->reply.code),
			      look->reply.code);
	}
}

/* Does it take a user name in the clear, although it could have TLS? */
static bool takes_clear_logins(struct look *look)
{
	restart(look);
	if (!connect_to(look))
		return true; /* a limit of connections, for example; doctor looks again */
	return probe_link_command(&look->link, "USER attlsctl", &look->reply) &&
	       look->reply.code < CODE_ERROR;
}

static bool look_at_tls(struct look *look)
{
	(void)probe_link_command(&look->link, "AUTH TLS", &look->reply);
	if (look->reply.code != CODE_TLS_BEGINS) {
		say(look,
		    "AUTH TLS: refused, so the server speaks FTP in the clear, as this policy needs it");
		return true;
	}
	say(look,
	    "AUTH TLS: 234, so the server speaks TLS itself. This policy reaches it in the clear; attlsctl probe shows");
	say(look, "  what the other way needs");
	if (takes_clear_logins(look))
		return true;
	(void)fprintf(
	    look->out,
	    "  problem: it refuses a user name in the clear: %u %s\n"
	    "  fix: turn its own TLS off, see docs/servers; or speak TLS to it, see attlsctl probe\n",
	    look->reply.code, first_line(look));
	return false;
}

static bool look_at(struct look *look)
{
	bool works = false;

	(void)fprintf(look->out, "The FTP server at %s:\n", look->plan->backend);
	if (connect_to(look)) {
		look_for_name(look);
		look_at_features(look);
		look_at_ways(look);
		works = look_at_tls(look);
	} else if (look->reply.code != 0) {
		(void)fprintf(look->out, "  problem: it answers %u %s, not 220\n", look->reply.code,
			      first_line(look));
	} else {
		(void)fprintf(
		    look->out,
		    "  problem: %s\n  fix: start it, or give its address with --backend; with a server on port 990, "
		    "see attlsctl probe\n",
		    look->link.error);
	}
	probe_link_close(&look->link);
	return works;
}

bool init_look(struct init_plan *plan, FILE *out)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct look *look = text_alloc(&plan->arena, 1, sizeof(*look));
	struct addrinfo *found = NULL;
	char host[HOST_PORT_MAX];
	const char *port = "21";
	bool works = false;
	int status;

	look->plan = plan;
	look->out = out;
	if (!host_port_split(plan->backend, host, &port))
		return false;
	status = getaddrinfo(host, port, &hints, &found);
	if (status != 0) {
		(void)fprintf(out, "The FTP server at %s:\n  problem: %s\n", plan->backend,
			      gai_strerror(status));
		return false;
	}
	look->server = host_port_endpoint(found);
	works = look_at(look);
	freeaddrinfo(found);
	return works;
}
