/*
 * Notes what the control connection shows of its client: the ClientHello, the login and the
 * commands. All of it stays in the session and costs no memory of its own.
 */
#include "gateway/worker/session-habits.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/client-hello.h"
#include "gateway/net/ja4.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-habits.h"

_Static_assert(JA4_TEXT_MAX == HABITS_JA4_MAX, "a fingerprint fits");

enum {
	VERSION_TLS12 = 0x0303,
	VERSION_TLS13 = 0x0304,
	EXTENSION_SERVER_NAME = 0,
	HASH_SHA1 = 2, /* RFC 5246 7.4.1.4.1: the first byte of a signature algorithm; 1 is MD5 */
};

/* Groups that combine ML-KEM with an elliptic curve. */
static const uint16_t hybrids[] = {
	0x11eb, /* SecP256r1MLKEM768 */
	0x11ec, /* X25519MLKEM768 */
	0x11ed, /* SecP384r1MLKEM1024 */
};

static uint64_t version_seen(uint16_t version)
{
	if (version >= VERSION_TLS13)
		return HABIT_BIT(OFFERS_TLS13);
	return version == VERSION_TLS12 ? HABIT_BIT(OFFERS_TLS12) : HABIT_BIT(OFFERS_OLDER);
}

static uint64_t groups_seen(const struct client_hello_list *groups)
{
	for (size_t i = 0; i < NELEM(hybrids); i++)
		if (client_hello_has(groups, hybrids[i]))
			return HABIT_BIT(OFFERS_HYBRID);
	return HABIT_BIT(OFFERS_NO_HYBRID);
}

/* Without the extension, TLS 1.2 means SHA-1 (RFC 5246 7.4.1.4.1). Older versions leave no choice. */
static uint64_t signatures_seen(const struct client_hello *hello)
{
	if (hello->version < VERSION_TLS12)
		return 0;
	for (size_t i = 0; i < hello->signatures.n; i++)
		if (hello->signatures.numbers[i] >> 8 > HASH_SHA1)
			return HABIT_BIT(SIGNATURES_SHA2);
	return HABIT_BIT(SIGNATURES_SHA1);
}

static void on_hello(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct session *session = CONTAINER_OF(stream, struct session, client);
	struct client_hello hello;

	if (!client_hello_read(bytes, len, &hello))
		return;
	ja4_make(&hello, session->habits.ja4);
	session->habits.seen |=
	    version_seen(hello.version) | groups_seen(&hello.groups) | signatures_seen(&hello) |
	    (client_hello_has(&hello.extensions, EXTENSION_SERVER_NAME) ? HABIT_BIT(SNI) : HABIT_BIT(NO_SNI));
}

void session_habits_await_hello(struct session *session)
{
	if (session->habits.ja4[0] == '\0') /* the first one of the session is enough */
		session->client.on_hello = on_hello;
}

void session_habits_tls_up(struct session *session)
{
	const struct stream *client = &session->client;
	const char *group = stream_tls_group(client);
	struct habits *habits = &session->habits;

	habits->seen |= session->facts.implicit ? HABIT_BIT(IMPLICIT) : HABIT_BIT(EXPLICIT);
	habits->seen |= stream_tls_is_13(client) ? HABIT_BIT(USED_TLS13) : HABIT_BIT(USED_TLS12);
	if (stream_tls_resumed(client))
		habits->seen |= HABIT_BIT(CONTROL_RESUMED);
	if (tlsctx_lacks_extended_master_secret(client->ssl))
		habits->seen |= HABIT_BIT(NO_EXTENDED_SECRET);
	if (strstr(group, "MLKEM") != NULL)
		habits->seen |= HABIT_BIT(USED_HYBRID);
	habits_copy(habits->group, sizeof(habits->group), group, strlen(group));
}

static bool is_letter(const struct ftp_command *command, char letter)
{
	return command->arg_len == 1 && (command->arg[0] | ' ') == (letter | ' ');
}

static uint64_t prot_seen(const struct ftp_command *command, uint64_t before)
{
	uint64_t seen = is_letter(command, 'P')	  ? HABIT_BIT(PROT_P)
			: is_letter(command, 'C') ? HABIT_BIT(PROT_C)
						  : 0;

	return seen | ((before & HABIT_BIT(PBSZ)) == 0 ? HABIT_BIT(NO_PBSZ) : 0);
}

static const uint64_t seen_by_kind[FTP_KIND_COUNT] = {
	[FTP_KIND_PBSZ] = HABIT_BIT(PBSZ), [FTP_KIND_CCC] = HABIT_BIT(CCC),
	[FTP_KIND_PASV] = HABIT_BIT(PASV), [FTP_KIND_EPSV] = HABIT_BIT(EPSV),
	[FTP_KIND_PORT] = HABIT_BIT(PORT), [FTP_KIND_EPRT] = HABIT_BIT(EPRT),
};

void session_habits_command(struct session *session, const char *line, size_t len)
{
	static const char first_letters[] = "CEMPcemp";
	struct habits *habits = &session->habits;
	struct ftp_command command;

	if (len == 0 || strchr(first_letters, line[0]) == NULL) /* most commands tell nothing */
		return;
	command = ftp_command_parse(line, len);
	habits->seen |= seen_by_kind[command.verb->kind];
	if (command.verb->kind == FTP_KIND_PROT)
		habits->seen |= prot_seen(&command, habits->seen);
	else if (command.verb->kind == FTP_KIND_MODE && is_letter(&command, 'Z'))
		habits->seen |= HABIT_BIT(MODE_Z);
	else if (strcmp(command.verb->name, "CLNT") == 0)
		habits_copy(habits->software, sizeof(habits->software), command.arg, command.arg_len);
}

void session_habits_logged_in(struct session *session)
{
	const uint64_t under_tls = HABIT_BIT(IMPLICIT) | HABIT_BIT(EXPLICIT);

	if ((session->habits.seen & under_tls) != 0)
		session->habits.seen |= HABIT_BIT(LOGIN_TLS);
	else if (facts_offer_tls(&session->facts))
		session->habits.seen |= HABIT_BIT(LOGIN_CLEAR);
}

struct msg session_habits_end(struct session *session)
{
	struct msg msg = { .type = MSG_SESSION_END, .session = session->facts.id };
	const struct identity *identity = &session->facts.identity;

	session->client.on_hello = NULL; /* the stream outlives the session */
	if (session->probe)
		return msg;
	msg.habits = session->habits;
	if (session->phase == PHASE_HANDSHAKE && msg.habits.ja4[0] != '\0')
		msg.habits.seen |= HABIT_BIT(HANDSHAKE_FAILED);
	if (session->logged_in)
		habits_copy(msg.habits.user, sizeof(msg.habits.user), session->user, strlen(session->user));
	if (identity->present) {
		msg.habits.seen |= HABIT_BIT(CERTIFICATE);
		habits_copy(msg.habits.subject, sizeof(msg.habits.subject), identity->subject,
			    strlen(identity->subject));
	}
	return msg;
}
