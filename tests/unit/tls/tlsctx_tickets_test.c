/* Which changes of a tls_action end the TLS sessions of clients, though the seeds of tickets stay. */
#include "gateway/tls/tlsctx-tickets.h"

#include <openssl/ssl.h>

#include "tests/unit/tls/certificates.h"

#define STEPS	   20
#define ROTATION_S 3600
#define LIFETIME_S 100

static struct ticket_seeds *seeds;
static struct certificate shown, renewed;

static int make(void **state)
{
	(void)state;
	shown = certificate_make(&(struct certificate_setup){ .name = "shown", .serial = 1 });
	renewed = certificate_make(&(struct certificate_setup){ .name = "renewed", .serial = 2 });
	return ticket_seeds_need(&seeds, ROTATION_S, UINT64_C(1000) * LIFETIME_S, 1000);
}

static int drop(void **state)
{
	(void)state;
	certificate_done(&shown);
	certificate_done(&renewed);
	ticket_seeds_free(&seeds);
	return 0;
}

/* A context has its tickets from the action and the certificate, and nothing else. */
struct server {
	SSL_CTX *ctx;
	struct tlsctx_tickets *tickets;
};

static void server_open(struct server *server, const struct tls_action *action,
			const struct certificate *certificate)
{
	server->ctx = SSL_CTX_new(TLS_server_method());
	assert_non_null(server->ctx);
	assert_int_equal(SSL_CTX_use_certificate(server->ctx, certificate->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server->ctx, certificate->key), 1);
	assert_int_equal(SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)"t", 1), 1);
	assert_int_equal(tlsctx_tickets_use(action, seeds, NULL, server->ctx, &server->tickets), 0);
}

static void server_close(struct server *server)
{
	SSL_CTX_free(server->ctx);
	tlsctx_tickets_free(&server->tickets);
}

/* Returns the client's session; *ret_resumed: it is the one that it has offered. */
static SSL_SESSION *visit(const struct server *server, SSL_SESSION *offered, bool *ret_resumed)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = SSL_new(ctx), *accepted = SSL_new(server->ctx);
	SSL_SESSION *session;
	BIO *here, *there;
	char byte;

	assert_non_null(client);
	assert_non_null(accepted);
	assert_int_equal(BIO_new_bio_pair(&here, 64 * 1024, &there, 64 * 1024), 1);
	SSL_set_bio(client, here, here);
	SSL_set_bio(accepted, there, there);
	SSL_set_connect_state(client);
	SSL_set_accept_state(accepted);
	if (offered != NULL)
		assert_int_equal(SSL_set_session(client, offered), 1);
	for (int step = 0; step < STEPS; step++) {
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(accepted);
	}
	assert_int_equal(SSL_write(accepted, "a", 1), 1); /* after the tickets */
	assert_int_equal(SSL_read(client, &byte, 1), 1);
	*ret_resumed = SSL_session_reused(accepted) == 1;
	session = SSL_get1_session(client);
	(void)SSL_shutdown(client); /* else the session is spoiled */
	SSL_free(client);
	SSL_free(accepted);
	SSL_CTX_free(ctx);
	return session;
}

/* Does a session of the one server end at the other? */
static bool ends(const struct tls_action *before, const struct tls_action *after,
		 const struct certificate *certificate)
{
	struct server old, new;
	SSL_SESSION *session, *next;
	bool resumed;

	server_open(&old, before, &shown);
	server_open(&new, after, certificate);
	session = visit(&old, NULL, &resumed);
	assert_false(resumed);
	next = visit(&new, session, &resumed);
	SSL_SESSION_free(session);
	SSL_SESSION_free(next);
	server_close(&old);
	server_close(&new);
	return !resumed;
}

static const struct tls_action same = { .name = "server",
					.role = ROLE_SERVER,
					.client_auth_type = CLIENT_AUTH_REQUIRED,
					.server_handshake_sni = HANDSHAKE_SNI_OFF,
					.versions = POLICY_TLS1_2 | POLICY_TLS1_3,
					.session_timeout_s = LIFETIME_S,
					.session_ticket_rotation_s = ROTATION_S,
					.ciphers = "one",
					.ciphersuites = "two",
					.groups = "one",
					.signature_algorithms = "two" };

#define ENDS_WITH(member, value)                                                                             \
	do {                                                                                                 \
		struct tls_action changed = same;                                                            \
		changed.member = (value);                                                                    \
		if (!ends(&same, &changed, &shown))                                                          \
			fail_msg("%s = %s: the session goes on", #member, #value);                           \
	} while (0)

static void a_changed_action_ends_sessions(void **state)
{
	(void)state;
	assert_false(ends(&same, &same, &shown));
	ENDS_WITH(name, "other");
	ENDS_WITH(role, ROLE_SERVER_WITH_CLIENT_AUTH);
	ENDS_WITH(client_auth_type, CLIENT_AUTH_SAFCHECK);
	ENDS_WITH(server_handshake_sni, HANDSHAKE_SNI_REQUIRED);
	ENDS_WITH(versions, POLICY_TLS1_3);
	ENDS_WITH(suite_b_profile, SUITE_B_192);
	ENDS_WITH(peer_min_rsa_key_size, 3072);
	ENDS_WITH(peer_min_ecc_key_size, 384);
	ENDS_WITH(ciphersuites, "other");
	ENDS_WITH(ciphers, "other");
	ENDS_WITH(groups, "two"); /* another member has this word */
	ENDS_WITH(signature_algorithms, NULL);
}

static void a_new_certificate_ends_sessions(void **state)
{
	(void)state;
	assert_true(ends(&same, &same, &renewed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_action_ends_sessions),
		cmocka_unit_test(a_new_certificate_ends_sessions),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
