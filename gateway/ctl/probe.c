/*
 * The steps of a probe: greeting, AUTH, handshake, FEAT, and a second connection that
 * offers the session of the first. No user name and no password is sent.
 */
#include "gateway/ctl/probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/net/stream-tls.h"

/* A server of the z/OS kind greets before the handshake, one of Netscape's kind waits for a ClientHello. */
#define CLEAR_GREETING_MS 1000

#define AUTH_ACCEPTED 234 /* RFC 2228 */

static const struct {
	enum secure_mechanism mechanism;
	const char *command;
} auths[] = {
	{ SECURE_MECHANISM_TLS, "AUTH TLS" },
	{ SECURE_MECHANISM_SSL, "AUTH SSL" },
};

static const struct {
	const char *word; /* the first of a FEAT line */
	unsigned features;
} feat_lines[] = {
	{ "EPSV", PROBE_EPSV }, { "PASV", PROBE_PASV }, { "CCC", PROBE_CCC },
	{ "MLST", PROBE_MLSD }, { "PROT", PROBE_PROT }, { "UTF8", PROBE_UTF8 },
};

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text);
}

/* The greeting, which has to be positive. */
static bool greet(struct probe_link *link, struct probe_result *result)
{
	struct probe_reply reply;

	if (!probe_link_reply(link, &reply))
		return false;
	(void)snprintf(result->greeting, sizeof(result->greeting), "%u %.150s", reply.code,
		       reply.nlines > 0 ? reply.lines[0] : "");
	if (ftp_reply_is_positive(reply.code))
		return true;
	copy(link->error, sizeof(link->error), "the server does not greet with 220");
	return false;
}

static bool auth(const struct probe_target *target, struct probe_link *link, struct probe_result *result)
{
	struct probe_reply reply;

	for (size_t i = 0; i < NELEM(auths); i++) {
		if (!target->any_mechanism && auths[i].mechanism != target->mechanism)
			continue;
		if (!probe_link_command(link, auths[i].command, &reply))
			return false;
		result->auth_code = reply.code;
		copy(result->auth_text, sizeof(result->auth_text), reply.nlines > 0 ? reply.lines[0] : "");
		result->mechanism = auths[i].mechanism;
		if (reply.code == AUTH_ACCEPTED)
			return true;
	}
	copy(link->error, sizeof(link->error), "the server refuses AUTH");
	return false;
}

static bool greets_in_the_clear(const struct probe_link *link)
{
	struct pollfd poll_fd = { .fd = link->stream.watch.fd, .events = POLLIN };
	char first;

	return poll(&poll_fd, 1, CLEAR_GREETING_MS) == 1 &&
	       recv(link->stream.watch.fd, &first, 1, MSG_PEEK) == 1 && first >= '1' && first <= '5';
}

/* Until TLS is up and the server has greeted. resume: the session to offer, or NULL. */
static bool begin(const struct probe_target *target, struct probe_link *link, struct ssl_session_st *resume,
		  struct probe_result *result)
{
	bool implicit = target->mechanism == SECURE_MECHANISM_IMPLICIT;
	struct ssl_st *ssl;
	bool up;

	if (!probe_link_dial(link, &target->server))
		return false;
	if (implicit) {
		result->mechanism = SECURE_MECHANISM_IMPLICIT;
		result->clear_greeting = greets_in_the_clear(link);
	}
	if ((!implicit || result->clear_greeting) && !greet(link, result))
		return false;
	if (!implicit && !auth(target, link, result))
		return false;
	ssl = tlsctx_client_new(target->client, TLSCTX_CONTROL, target->host, resume);
	if (ssl == NULL) {
		copy(link->error, sizeof(link->error), "not enough memory");
		return false;
	}
	up = probe_link_tls(link, ssl);
	copy(result->shown, sizeof(result->shown), tlsctx_client_shown(link->stream.ssl));
	return up && (!implicit || result->clear_greeting || greet(link, result));
}

static bool look_at_tls(const struct stream *stream, struct probe_result *result)
{
	result->tls = true;
	copy(result->version, sizeof(result->version), stream_tls_version(stream));
	copy(result->cipher, sizeof(result->cipher), stream_tls_cipher(stream));
	copy(result->group, sizeof(result->group), stream_tls_group(stream));
	return identity_get(stream, &result->identity) == 0;
}

static void look_at_features(struct probe_link *link, struct probe_result *result)
{
	struct probe_reply reply;

	if (!probe_link_command(link, "FEAT", &reply) || reply.code != 211)
		return;
	result->feat = true;
	for (size_t i = 0; i < reply.nlines; i++) {
		const char *line = reply.lines[i] + strspn(reply.lines[i], " ");
		size_t len = strcspn(line, " ;");

		for (size_t j = 0; j < NELEM(feat_lines); j++)
			if (len == strlen(feat_lines[j].word) &&
			    strncasecmp(line, feat_lines[j].word, len) == 0)
				result->features |= feat_lines[j].features;
	}
}

/* Does a second connection resume the session of the first? */
static enum probe_resumption look_at_resumption(const struct probe_target *target,
						struct ssl_session_st *session)
{
	struct probe_result again = { .tls = false };
	struct probe_link link = { .error = "" };
	enum probe_resumption resumption = PROBE_RESUMES_UNKNOWN;

	if (session == NULL)
		return PROBE_RESUMES_NOT;
	if (begin(target, &link, session, &again))
		resumption = stream_tls_resumed(&link.stream) ? PROBE_RESUMES : PROBE_RESUMES_NOT;
	probe_link_close(&link);
	return resumption;
}

bool probe_run(const struct probe_target *target, struct probe_result *ret)
{
	struct probe_link link = { .error = "" };
	struct probe_reply reply;
	struct ssl_session_st *session = NULL;

	*ret = (struct probe_result){ .tls = false };
	if (!begin(target, &link, NULL, ret)) {
		copy(ret->error, sizeof(ret->error), link.error);
		probe_link_close(&link);
		return false;
	}
	if (!look_at_tls(&link.stream, ret))
		copy(ret->error, sizeof(ret->error), "not enough memory");
	look_at_features(&link, ret);
	/* of TLS 1.3 it is there once something has been read */
	session = tlsctx_client_session(link.stream.ssl);
	(void)probe_link_command(&link, "QUIT", &reply);
	probe_link_close(&link);
	ret->resumption = look_at_resumption(target, session);
	tlsctx_client_session_free(session);
	return true;
}

void probe_result_done(struct probe_result *result)
{
	identity_done(&result->identity);
}
