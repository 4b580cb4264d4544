/*
 * Describes one session line by line, for `attlsctl sessions NUMBER` and for `top`.
 * What does not apply to the session has no line.
 */
#include "gateway/view/session-details.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/view/client-text.h"
#include "gateway/view/session-words.h"

/* A few texts of CLIENT_SHOWN_MAX, which take four characters a byte at most. */
#define LINE_MAX_BYTES 2048

struct lines {
	session_line_fn *line;
	void *context;
};

static void say(const struct lines *lines, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct lines *lines, const char *label, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	lines->line(lines->context, label, text);
}

static void say_text(const struct lines *lines, const char *label, const char *text)
{
	char buf[CLIENT_SHOWN_MAX];

	if (text[0] != '\0')
		lines->line(lines->context, label, client_text_shown(text, buf));
}

/* "P, TLSv1.3, TLS_AES_256_GCM_SHA384, x25519, resumed" */
static void say_control(const struct lines *lines, const char *label, const struct answer_leg *leg)
{
	char tls[CLIENT_SHOWN_MAX], cipher[CLIENT_SHOWN_MAX], group[CLIENT_SHOWN_MAX];

	say(lines, label, "%c, %s%s%s%s%s%s", leg->control != '\0' ? leg->control : '-',
	    leg->tls[0] != '\0' ? client_text_shown(leg->tls, tls) : "clear",
	    leg->cipher[0] != '\0' ? ", " : "", client_text_shown(leg->cipher, cipher),
	    leg->group[0] != '\0' ? ", " : "", client_text_shown(leg->group, group),
	    leg->resumed ? ", resumed" : "");
}

/* "P, EPSV, told 192.0.2.1:50000, connected to 192.0.2.7:40000" */
static void say_data(const struct lines *lines, const char *label, const struct answer_leg *leg)
{
	const char *way = session_way(leg);
	char told[IP_TEXT_MAX], peer[IP_TEXT_MAX];

	if (way[0] == '\0' && leg->data == '\0')
		return;
	say(lines, label, "%c, %s, told %s, %s %s", leg->data != '\0' ? leg->data : '-',
	    way[0] != '\0' ? way : "-", leg->told.port != 0 ? ip_endpoint_format(&leg->told, told) : "-",
	    leg->waits ? "waits to be dialled," : "connected to",
	    leg->peer.port != 0 ? ip_endpoint_format(&leg->peer, peer) : "nobody");
}

static void say_transfer(const struct lines *lines, const struct answer_session *session)
{
	char age[CLIENT_AGE_MAX], bytes[CLIENT_AGE_MAX], progress[SESSION_PROGRESS_MAX];

	if (session->transfer[0] == '\0')
		return;
	say_text(lines, "transfer", session->transfer);
	say(lines, session->upload ? "upload" : "download", "%s; %s in %s",
	    session_progress(session, progress), client_text_size(session->bytes, bytes),
	    client_text_age(session->transfer_ms, age));
}

void session_details(const struct answer_session *session, session_line_fn *line, void *context)
{
	const struct lines lines = { line, context };
	char age[CLIENT_AGE_MAX], idle[CLIENT_AGE_MAX], at[IP_TEXT_MAX], name[CLIENT_SHOWN_MAX],
	    other[CLIENT_SHOWN_MAX];

	say(&lines, "session", "%" PRIu64 ", %s old, idle for %s, worker %d", session->session,
	    client_text_age(session->age_ms, age), client_text_age(session->idle_ms, idle),
	    (int)session->worker);
	say(&lines, "client", "%s", ip_endpoint_format(&session->remote, at));
	say(&lines, "listener", "%s, dialled at %s", client_text_shown(session->listener, name),
	    ip_endpoint_format(&session->local, at));
	say_text(&lines, "user", session->user);
	say_text(&lines, "rule", session->rule);
	if (session->rule[0] != '\0')
		say(&lines, "server", "%s, backend %s", ip_endpoint_format(&session->server, at),
		    client_text_shown(session->backend, name));
	say_text(&lines, "command", session->command);
	say_control(&lines, "client TLS", &session->client_leg);
	if (session->sha256[0] != '\0') {
		say(&lines, "certificate", "%s, issuer %s", client_text_shown(session->subject, name),
		    client_text_shown(session->issuer, other));
		say(&lines, "", "serial %s, sha256 %s", client_text_shown(session->serial, name),
		    client_text_shown(session->sha256, other));
	}
	say_text(&lines, "principal", session->principal);
	say_control(&lines, "server TLS", &session->server_leg);
	if (session->server_name[0] != '\0') {
		say(&lines, "server is", "%s, issuer %s", client_text_shown(session->server_name, name),
		    client_text_shown(session->server_issuer, other));
		say(&lines, "", "sha256 %s", client_text_shown(session->server_sha256, name));
	}
	say_transfer(&lines, session);
	say_data(&lines, "client data", &session->client_leg);
	say_data(&lines, "server data", &session->server_leg);
}
