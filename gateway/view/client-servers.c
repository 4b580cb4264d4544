/*
 * Shows what workers remember of servers. Each worker has its own memory and its own
 * rows. If the rows were merged, a worker under an attacker's control could falsify
 * what the others report.
 */
#include "gateway/view/client-servers.h"

#include <string.h>

#include "gateway/view/client-answers.h"
#include "gateway/view/client-text.h"
#include "policy/ip.h"

static const char *const way_names[ANSWER_WAYS] = {
	[WAY_EPSV] = "EPSV",
	[WAY_PASV] = "PASV",
	[WAY_EPRT] = "EPRT",
	[WAY_PORT] = "PORT",
};

/* client-answers.c takes no other state. */
static const char *const state_names[WAY_STATES] = {
	[WAY_UNKNOWN] = "-",
	[WAY_WORKS] = "works",
	[WAY_REFUSED] = "refused",
	[WAY_FAILED] = "failed",
};

#define WAY_WIDTH 12 /* "refused 255m" */
#define CELL_MAX  32

/* "refused 4m", "works <1m", "-". */
static const char *cell(const struct answer_server *server, enum answer_way way, char buf[static CELL_MAX])
{
	const char *state = state_names[server->ways[way].state];

	if (server->ways[way].state == WAY_UNKNOWN || server->ways[way].minutes == 0)
		(void)snprintf(buf, CELL_MAX, "%s%s", state,
			       server->ways[way].state == WAY_UNKNOWN ? "" : " <1m");
	else
		(void)snprintf(buf, CELL_MAX, "%s %um", state, (unsigned)server->ways[way].minutes);
	return buf;
}

static void print_row(const struct answer_server *server, int server_width, int backend_width, FILE *out)
{
	char address[IP_TEXT_MAX], backend[CLIENT_SHOWN_MAX], text[CELL_MAX];

	(void)fprintf(out, "%-*s  %-*s  %8d", server_width, ip_endpoint_format(&server->server, address),
		      backend_width, client_text_name(server->backend, backend), (int)server->worker);
	for (enum answer_way way = 0; way < ANSWER_WAYS; way++)
		(void)fprintf(out, "  %-*s", way + 1 < ANSWER_WAYS ? WAY_WIDTH : 0, cell(server, way, text));
	(void)fputc('\n', out);
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

void client_servers_print(const struct answers *answers, FILE *out)
{
	char address[IP_TEXT_MAX], backend[CLIENT_SHOWN_MAX];
	int server_width = wider(0, "SERVER"), backend_width = wider(0, "BACKEND");

	if (answers->nservers == 0)
		return;
	for (size_t i = 0; i < answers->nservers; i++) {
		const struct answer_server *server = &answers->servers[i];

		server_width = wider(server_width, ip_endpoint_format(&server->server, address));
		backend_width = wider(backend_width, client_text_name(server->backend, backend));
	}
	(void)fprintf(out, "\n%-*s  %-*s  %8s", server_width, "SERVER", backend_width, "BACKEND", "WORKER");
	for (enum answer_way way = 0; way < ANSWER_WAYS; way++)
		(void)fprintf(out, "  %-*s", way + 1 < ANSWER_WAYS ? WAY_WIDTH : 0, way_names[way]);
	(void)fputc('\n', out);
	for (size_t i = 0; i < answers->nservers; i++)
		print_row(&answers->servers[i], server_width, backend_width, out);
}

static json_t *ways_json(const struct answer_server *server)
{
	json_t *ways = json_object();

	for (enum answer_way way = 0; way < ANSWER_WAYS; way++) {
		uint8_t state = server->ways[way].state;
		json_t *known = state == WAY_UNKNOWN ? json_null()
						     : json_pack("{s:s,s:i}", "state", state_names[state],
								 "minutes", (int)server->ways[way].minutes);

		(void)json_object_set_new(ways, way_names[way], known);
	}
	return ways;
}

json_t *client_servers_json(const struct answers *answers)
{
	json_t *list = json_array();
	char address[IP_TEXT_MAX], backend[CLIENT_SHOWN_MAX];

	for (size_t i = 0; i < answers->nservers; i++) {
		const struct answer_server *server = &answers->servers[i];

		(void)json_array_append_new(list,
					    json_pack("{s:s,s:s,s:i,s:o}", "server",
						      ip_endpoint_format(&server->server, address), "backend",
						      client_text_shown(server->backend, backend), "worker",
						      (int)server->worker, "ways", ways_json(server)));
	}
	return list;
}
