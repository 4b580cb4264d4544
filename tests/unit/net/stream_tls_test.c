#include "gateway/net/stream-tls.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define STEPS 20

/* A server that is a stream, and a client that is OpenSSL alone. */
struct pair {
	struct loop loop;
	struct stream stream;
	SSL_CTX *server_ctx, *client_ctx;
	SSL *client;
	int client_fd;
};

static void on_event(struct watch *watch, uint32_t ready)
{
	(void)watch, (void)ready;
}

/* A key, and a certificate that it has signed itself. */
static void use_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	assert_non_null(key);
	assert_non_null(certificate);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_int_not_equal(X509_sign(certificate, key, EVP_sha256()), 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void pair_open(struct pair *pair, int version)
{
	int fds[2];
	SSL *ssl;

	assert_int_equal(loop_init(&pair->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	pair->server_ctx = SSL_CTX_new(TLS_server_method());
	pair->client_ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(pair->server_ctx);
	assert_non_null(pair->client_ctx);
	use_certificate(pair->server_ctx);
	assert_int_equal(SSL_CTX_set_max_proto_version(pair->server_ctx, version), 1);
	pair->client = SSL_new(pair->client_ctx);
	assert_non_null(pair->client);
	assert_int_equal(SSL_set_fd(pair->client, fds[1]), 1);
	SSL_set_connect_state(pair->client);
	pair->client_fd = fds[1];
	stream_init(&pair->stream, &pair->loop, on_event);
	stream_adopt(&pair->stream, &fds[0]);
	ssl = SSL_new(pair->server_ctx);
	assert_non_null(ssl);
	SSL_set_accept_state(ssl);
	assert_int_equal(stream_tls_start(&pair->stream, ssl, false), 0);
}

static void pair_close(struct pair *pair)
{
	stream_close(&pair->stream, true);
	SSL_free(pair->client);
	(void)close(pair->client_fd);
	SSL_CTX_free(pair->client_ctx);
	SSL_CTX_free(pair->server_ctx);
	loop_done(&pair->loop);
}

static void pair_shake_hands(struct pair *pair)
{
	enum stream_io io = STREAM_WAIT;
	int done = 0;

	for (int step = 0; step < STEPS && (io != STREAM_OK || done != 1); step++) {
		if (done != 1)
			done = SSL_do_handshake(pair->client);
		if (io != STREAM_OK)
			io = stream_tls_handshake(&pair->stream);
	}
	assert_int_equal(done, 1);
	assert_int_equal(io, STREAM_OK);
}

/* A byte there and a byte back. */
static void pair_talk(struct pair *pair)
{
	uint8_t byte = 'a';
	size_t len = 0;

	assert_int_equal(SSL_write(pair->client, &byte, 1), 1);
	byte = 0;
	assert_int_equal(stream_read(&pair->stream, &byte, 1, &len), STREAM_OK);
	assert_int_equal(byte, 'a');
	assert_int_equal(stream_write(&pair->stream, (const uint8_t *)"b", 1), STREAM_OK);
	assert_int_equal(SSL_read(pair->client, &byte, 1), 1);
	assert_int_equal(byte, 'b');
}

/* The client's public key is of no use after the handshake, and large with ML-KEM. */
static void test_the_peers_key_is_not_kept(void **state)
{
	struct pair pair;
	EVP_PKEY *key = NULL;
	unsigned char *encoded = NULL;

	(void)state;
	pair_open(&pair, TLS1_3_VERSION);
	pair_shake_hands(&pair);
	assert_int_equal(SSL_get_peer_tmp_key(pair.stream.ssl, &key), 1);
	assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &encoded), 0);
	EVP_PKEY_free(key);
	pair_talk(&pair);
	assert_int_equal(SSL_key_update(pair.client, SSL_KEY_UPDATE_REQUESTED), 1);
	pair_talk(&pair);
	pair_close(&pair);
}

/* TLS 1.2 may have forgotten it by itself. */
static void test_tls_1_2_goes_on_without_it(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, TLS1_2_VERSION);
	pair_shake_hands(&pair);
	assert_string_equal(stream_tls_version(&pair.stream), "TLSv1.2");
	pair_talk(&pair);
	pair_close(&pair);
}

/* What the client does at the end, and what it is then to the stream. */
static const struct {
	const char *name;
	int version;
	bool bytes, notify, fin, garbage, alert;
	enum stream_io want;
} ends[] = {
	{ "nothing", TLS1_3_VERSION, false, false, false, false, false, STREAM_WAIT },
	{ "bytes", TLS1_3_VERSION, true, false, false, false, false, STREAM_WAIT },
	{ "close_notify", TLS1_3_VERSION, false, true, false, false, false, STREAM_CLEAN },
	{ "bytes, close_notify", TLS1_3_VERSION, true, true, false, false, false, STREAM_CLEAN },
	{ "bytes, close_notify, FIN", TLS1_3_VERSION, true, true, true, false, false, STREAM_CLEAN },
	{ "close_notify, FIN", TLS1_2_VERSION, false, true, true, false, false, STREAM_CLEAN },
	{ "FIN", TLS1_3_VERSION, false, false, true, false, false, STREAM_TRUNCATED },
	{ "bytes, FIN", TLS1_3_VERSION, true, false, true, false, false, STREAM_TRUNCATED },
	{ "bytes, FIN", TLS1_2_VERSION, true, false, true, false, false, STREAM_TRUNCATED },
	{ "no record", TLS1_3_VERSION, false, false, false, true, false, STREAM_RESET },
	{ "bytes, no record, FIN", TLS1_3_VERSION, true, false, true, true, false, STREAM_RESET },
	{ "a fatal alert", TLS1_3_VERSION, false, false, false, false, true, STREAM_RESET },
	{ "a fatal alert, FIN", TLS1_2_VERSION, true, false, true, false, true, STREAM_RESET },
};

/* A FIN without close_notify is not an end in order, with or without bytes before it. */
static void test_ends(void **state)
{
	static const char garbage[] = "226 this is no TLS record\r\n";

	(void)state;
	for (size_t i = 0; i < NELEM(ends); i++) {
		uint8_t buf[64];
		size_t got = 0, len;
		enum stream_io io;
		struct pair pair;

		pair_open(&pair, ends[i].version);
		pair_shake_hands(&pair);
		if (ends[i].bytes)
			assert_int_equal(SSL_write(pair.client, "bytes", 5), 5);
		if (ends[i].notify)
			assert_int_equal(SSL_shutdown(pair.client), 0);
		if (ends[i].garbage)
			assert_int_equal(send(pair.client_fd, garbage, sizeof(garbage), 0), sizeof(garbage));
		if (ends[i].alert) { /* it answers other bytes with a record */
			assert_int_equal(send(pair.stream.watch.fd, garbage, sizeof(garbage), 0),
					 sizeof(garbage));
			assert_int_not_equal(SSL_read(pair.client, buf, sizeof(buf)), 1);
		}
		if (ends[i].fin)
			assert_int_equal(shutdown(pair.client_fd, SHUT_WR), 0);
		while ((io = stream_read(&pair.stream, buf, sizeof(buf), &len)) == STREAM_OK)
			got += len;
		if (io != ends[i].want || got != (ends[i].bytes ? 5 : 0))
			fail_msg("%s: ended with %d after %zu bytes", ends[i].name, (int)io, got);
		io = stream_read(&pair.stream, buf, sizeof(buf), &len);
		if (io != ends[i].want) /* it stays what it was */
			fail_msg("%s: asked again it is %d", ends[i].name, (int)io);
		pair_close(&pair);
	}
}

/* A stream that moves takes its TLS along; our own end is a close_notify and then FIN. */
static void test_moving_and_finishing(void **state)
{
	struct pair pair, moved;
	uint8_t byte;

	(void)state;
	pair_open(&pair, TLS1_3_VERSION);
	pair_shake_hands(&pair);
	moved = pair;
	stream_move(&pair.stream, &moved.stream, on_event);
	assert_false(stream_has_layer(&pair.stream));
	assert_null(pair.stream.ssl);
	pair_talk(&moved);
	stream_move(&moved.stream, &pair.stream, on_event);
	assert_int_equal(stream_write_last(&pair.stream, (const uint8_t *)"z", 1), STREAM_OK);
	assert_int_equal(recv(pair.client_fd, &byte, 1, MSG_PEEK), -1);
	assert_int_equal(stream_finish(&pair.stream), STREAM_OK);
	assert_true(pair.stream.finished);
	assert_int_equal(SSL_read(pair.client, &byte, 1), 1);
	assert_int_equal(byte, 'z');
	assert_int_equal(SSL_read(pair.client, &byte, 1), 0);
	assert_int_equal(SSL_get_shutdown(pair.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(recv(pair.client_fd, &byte, 1, 0), 0);
	pair_close(&pair);
}

/* What the client says first, cut up into records of so many bytes. Returns the length; *ret: malloc()ed. */
static size_t cut_hello(struct pair *pair, size_t record, uint8_t **ret)
{
	uint8_t whole[4096];
	size_t len = 0, at;
	ssize_t n;
	BIO *out = BIO_new(BIO_s_mem());

	assert_non_null(out);
	SSL_set0_wbio(pair->client, out);
	assert_int_not_equal(SSL_do_handshake(pair->client), 1);
	n = BIO_read(out, whole, sizeof(whole));
	assert_true(n > 5 && n < (ssize_t)sizeof(whole));
	*ret = malloc((size_t)n * 6);
	assert_non_null(*ret);
	for (at = 5; at < (size_t)n; at += record) {
		size_t part = (size_t)n - at < record ? (size_t)n - at : record;
		const uint8_t header[5] = { whole[0], whole[1], whole[2], 0, (uint8_t)part };

		memcpy(*ret + len, header, sizeof(header));
		memcpy(*ret + len + sizeof(header), whole + at, part);
		len += sizeof(header) + part;
	}
	return len;
}

static size_t unread(const struct pair *pair)
{
	int n;

	assert_int_equal(ioctl(pair->stream.watch.fd, FIONREAD, &n), 0);
	return (size_t)n;
}

/* A ClientHello in records of one byte takes many turns, and in each turn the peer gets a few reads. */
static void test_tiny_records_wait_for_the_next_turn(void **state)
{
	char x25519[] = "X25519"; /* the macro drops const */
	struct pair pair;
	uint8_t *hello;
	size_t len, turns = 0;
	enum stream_io io = STREAM_WAIT;

	for (int ahead = 0; ahead < 2; ahead++) {
		(void)state;
		pair_open(&pair, TLS1_3_VERSION);
		if (ahead) { /* as on a data connection */
			SSL_set_read_ahead(pair.stream.ssl, 1);
			SSL_set_default_read_buffer_len(pair.stream.ssl, 64 * 1024);
		}
		/* a share of ML-KEM, which OpenSSL 3.5 offers by itself, would be above the limit on records
		 */
		assert_int_equal(SSL_set1_groups_list(pair.client, x25519), 1);
		len = cut_hello(&pair, 1, &hello);
		/* the last byte completes it */
		assert_true(len > 1000 && len / 6 < 1000);
		assert_int_equal(write(pair.client_fd, hello, len), len);
		for (turns = 0; io == STREAM_WAIT && unread(&pair) > 0; turns++) {
			size_t before = unread(&pair);

			pair.loop.turn++;
			io = stream_tls_handshake(&pair.stream);
			assert_true(before - unread(&pair) <= (ahead ? 8 * 1024 : 64 * 5));
		}
		assert_int_equal(io, STREAM_WAIT); /* for the client's Finished */
		assert_true(stream_tls_has_begun(&pair.stream));
		assert_true(ahead || turns > 5);
		free(hello);
		pair_close(&pair);
	}
}

/* So many records are no client's handshake. */
static void test_too_many_records_end_a_handshake(void **state)
{
	uint8_t piece[6] = { 22, 3, 1, 0, 1 };
	struct pair pair;
	enum stream_io io = STREAM_WAIT;

	(void)state;
	pair_open(&pair, TLS1_3_VERSION);
	for (int n = 0; n < 1100 && io == STREAM_WAIT; n++) {
		piece[5] = n == 0 ? 1 : n == 1 ? 0 : 255; /* a ClientHello of 64 KiB */
		assert_int_equal(write(pair.client_fd, piece, sizeof(piece)), sizeof(piece));
		pair.loop.turn++;
		io = stream_tls_handshake(&pair.stream);
		assert_true(n >= 999 || io == STREAM_WAIT);
	}
	assert_int_equal(io, STREAM_RESET);
	assert_string_equal(stream_tls_reason(), "too many records in the handshake");
	pair_close(&pair);
}

/* Many records in the wire buffer: a call takes a part of them, and the next one goes on. */
static void test_a_wire_of_tiny_records_is_taken_in_parts(void **state)
{
	static struct stream_wire wire;
	static uint8_t bytes[STREAM_TLS_READ_WIRE_BYTES];
	struct pair pair;
	size_t len = 0, calls = 0, sent = 3000;
	int size = 1 << 20;

	(void)state;
	pair_open(&pair, TLS1_3_VERSION);
	assert_int_equal(setsockopt(pair.client_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	pair_shake_hands(&pair);
	for (size_t i = 0; i < sent; i++) {
		uint8_t byte = (uint8_t)i;

		if (SSL_write(pair.client, &byte, 1) != 1)
			sent = i;
	}
	assert_true(sent > 600); /* the socket has no room for more */
	for (size_t got = 0; len < sent; len += got, calls++) {
		enum stream_io io =
		    stream_tls_read_wire(&pair.stream, &wire, STREAM_WIRE_BYTES, bytes, sizeof(bytes), &got);

		assert_true(io == STREAM_OK || (io == STREAM_WAIT && len + got == sent));
		assert_true(got <= 512);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(bytes[i], (uint8_t)(len + i));
	}
	assert_true(calls >= sent / 512);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiny_records_wait_for_the_next_turn),
		cmocka_unit_test(test_too_many_records_end_a_handshake),
		cmocka_unit_test(test_a_wire_of_tiny_records_is_taken_in_parts),
		cmocka_unit_test(test_the_peers_key_is_not_kept),
		cmocka_unit_test(test_tls_1_2_goes_on_without_it),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_moving_and_finishing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
