/*
 * The TLS layer of a stream: handshake, reading, writing and the end, by way of
 * OpenSSL. One function, classify(), turns what a failed call means into enum
 * stream_io, so that an end in order is never mistaken for another one.
 */
#include "gateway/net/stream-tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/counters.h"
#include "gateway/net/stream-alert.h"
#include "gateway/net/stream-bio.h"
#include "gateway/net/stream-ktls.h"

/* TLS record types, as the first byte on the wire (RFC 8446 5.1). */
#define RECORD_FIRST 0x14
#define RECORD_LAST  0x17

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *ret_written)
{
	struct stream *stream = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (stream->saw_reset || outq_add(&stream->outq, (const uint8_t *)bytes, len) < 0)
		return 0;
	*ret_written = len;
	return 1;
}

static int bio_read(BIO *bio, char *buf, size_t size, size_t *ret_read)
{
	struct stream *stream = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	*ret_read = 0;
	if (stream->saw_reset)
		return 0;
	n = intake_read(stream, buf, size);
	if (n > 0)
		*ret_read = (size_t)n;
	else if (n == -1 && !stream->saw_reset)
		BIO_set_retry_read(bio);
	return n > 0;
}

static long bio_ctrl(BIO *bio, int command, long num, void *ptr)
{
	struct stream *stream = BIO_get_data(bio);

	(void)num, (void)ptr;
	switch (command) {
	case BIO_CTRL_FLUSH: /* the stream flushes by itself */
		return 1;
	case BIO_CTRL_EOF:
		return stream->saw_fin;
	default:
		return 0;
	}
}

/* Not constant: OpenSSL has few numbers for kinds of BIOs, so each is made once and lives as long as the
 * process. */
static struct stream_bio_kind to_stream = {
	.name = "stream",
	.write = bio_write,
	.read = bio_read,
	.ctrl = bio_ctrl,
};

/*
 * KeyUpdates, alerts and refused renegotiations bring no data, cost us more than
 * the peer, and OpenSSL reads on after each of them. More than this in one turn is
 * an attack, whatever comes between them, and the connection counts as broken.
 */
#define NODATA_RECORDS_MAX 32
/* A client that needs more records for its handshake cuts them up on purpose. */
#define SHAKE_RECORDS_MAX 1000

/* A record has come before the handshake is done. */
static void count_shake_record(struct stream *stream)
{
	if (++stream->shake_records <= SHAKE_RECORDS_MAX)
		return;
	stream->saw_reset = true; /* bio_read() returns nothing more */
	ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "too many records in the handshake");
}

/* The owner wants to see the ClientHello, before OpenSSL judges it. */
static void show_hello(struct stream *stream, const uint8_t *bytes, size_t len)
{
	void (*on_hello)(struct stream * stream, const uint8_t *bytes, size_t len) = stream->on_hello;

	if (len == 0 || bytes[0] != SSL3_MT_CLIENT_HELLO)
		return;
	stream->on_hello = NULL;
	on_hello(stream, bytes, len);
}

static void on_message(int is_write, int version, int type, const void *bytes, size_t len, SSL *ssl,
		       void *arg)
{
	struct stream *stream = BIO_get_data(SSL_get_rbio(ssl));

	(void)version, (void)arg;
	if (!is_write && type == SSL3_RT_HANDSHAKE && stream->ktls != NULL)
		stream_ktls_check(stream, bytes, len);
	if (!is_write && type == SSL3_RT_HANDSHAKE && stream->on_hello != NULL)
		show_hello(stream, bytes, len);
	if (type == SSL3_RT_ALERT && len == 2)
		stream_alert_note(stream, SSL_is_server(ssl) == 1, is_write != 0, bytes);
	if (!is_write && type == SSL3_RT_HEADER && !stream->tls_up)
		count_shake_record(stream);
	if (stream->nodata_ms != stream->loop->now_ms) {
		stream->nodata_ms = stream->loop->now_ms;
		stream->nodata_records = 0;
	}
	if (is_write || !stream->tls_up || (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT))
		return;
	if (++stream->nodata_records > NODATA_RECORDS_MAX)
		stream->saw_reset = true; /* bio_read() returns nothing more */
}

/* OpenSSL reports only that a certificate was refused; add why, for stream_tls_reason(). */
static void explain_certificate(const SSL *ssl)
{
	unsigned long error = ERR_peek_last_error();

	if (ERR_GET_LIB(error) != ERR_LIB_SSL)
		return;
	if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		ERR_add_error_data(2, "certificate verify failed: ",
				   X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	else if (ERR_GET_REASON(error) == SSL_R_EXCESSIVE_MESSAGE_SIZE &&
		 SSL_get_state(ssl) == TLS_ST_SR_CERT)
		ERR_add_error_data(1, "the client's certificate chain is longer than max_client_chain");
}

/* Translate the error of a failed SSL call. */
static enum stream_io classify(struct stream *stream, int result)
{
	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_NONE:
		return STREAM_OK;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return stream->saw_reset ? STREAM_RESET : STREAM_CLEAN;
	case SSL_ERROR_SYSCALL:
		/*
		 * OpenSSL from 3.2 on reports a close_notify after user_canceled, as Java
		 * sends it, this way
		 */
		if (!stream->saw_reset && (SSL_get_shutdown(stream->ssl) & SSL_RECEIVED_SHUTDOWN) != 0)
			return STREAM_CLEAN;
		break;
	default:
		break;
	}
	if (stream->saw_reset)
		return STREAM_RESET;
	if (stream->saw_fin)
		return STREAM_TRUNCATED;
	explain_certificate(stream->ssl);
	/* A broken record or a failed handshake: send the alert, if there is one; nothing more is certain. */
	(void)stream_flush(stream);
	/* the next read would take the peer's fatal alert for an end */
	if (stream->tls_up)
		stream->saw_reset = true;
	return STREAM_RESET;
}

static enum stream_io tls_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	enum stream_io io;

	ERR_clear_error();
	if (SSL_read_ex(stream->ssl, buf, size, ret_len) == 1) {
		return STREAM_OK;
	}
	io = classify(stream, 0);
	/* a read may have queued an answer to a KeyUpdate or an alert */
	if (io == STREAM_WAIT && !stream_is_drained(stream) && stream_flush(stream) == STREAM_RESET)
		return STREAM_RESET;
	return io;
}

static enum stream_io tls_write(struct stream *stream, const uint8_t *bytes, size_t len)
{
	size_t written;

	ERR_clear_error();
	for (size_t at = 0; at < len; at += written)
		if (SSL_write_ex(stream->ssl, bytes + at, len - at, &written) != 1)
			return STREAM_RESET; /* the BIO takes everything, so there is nothing to wait for */
	return STREAM_OK;
}

static void tls_free(struct stream *stream)
{
	/*
	 * Without it, OpenSSL would let nobody resume the session of a connection that we have not ended in
	 * order, such as a transfer that is cut, or a control connection after CCC without close_notify. TLS
	 * has not asked for that since 1.1 (RFC 5246 7.2.1), and a fatal alert has done it already.
	 */
	SSL_set_shutdown(stream->ssl, SSL_get_shutdown(stream->ssl) | SSL_SENT_SHUTDOWN);
	SSL_free(stream->ssl);
	intake_drop_rest(stream);
	stream->ssl = NULL;
	stream->layer = NULL;
	stream_ktls_free(stream);
	stream->tls_up = false;
	stream->tx_clear = false;
	stream->closing_tls = false;
}

static void tls_moved(struct stream *stream)
{
	BIO_set_data(SSL_get_rbio(stream->ssl), stream);
	BIO_set_data(SSL_get_wbio(stream->ssl), stream); /* without kTLS the same one */
}

void stream_tls_notify(struct stream *stream)
{
	ERR_clear_error();
	(void)SSL_shutdown(stream->ssl); /* sends only; it does not wait for the peer's */
}

static enum stream_io tls_notify(struct stream *stream)
{
	if (stream->kernel_encrypts)
		return stream_ktls_notify(stream);
	stream_tls_notify(stream);
	return STREAM_OK;
}

static const struct stream_layer tls_layer = {
	.read = tls_read,
	.write = tls_write,
	.notify = tls_notify,
	.moved = tls_moved,
	.free = tls_free,
};

int stream_tls_start(struct stream *stream, SSL *ssl, bool kernel)
{
	BIO *bio = stream_bio_new(&to_stream, stream);

	if (bio == NULL) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	SSL_set_bio(ssl, bio, bio);
	SSL_set_msg_callback(ssl, on_message);
	stream->ssl = ssl;
	stream->layer = &tls_layer;
	stream->tls_up = false;
	stream->shake_records = 0;
	stream->alert_seen = false;
	return kernel ? stream_ktls_allow(stream) : 0;
}

/*
 * OpenSSL keeps the peer's public key of the key exchange for the life of the connection, for
 * SSL_get_peer_tmp_key(): 6 KiB for ML-KEM, while the rest of an idle session takes 23. Nothing asks for it
 * after the handshake, so the key is emptied: EVP_PKEY_set_type() clears it, whatever the new type is.
 */
static void forget_peer_key(SSL *ssl)
{
	EVP_PKEY *key;

	if (SSL_get_peer_tmp_key(ssl, &key) != 1)
		return;
	(void)EVP_PKEY_set_type(key, EVP_PKEY_X25519);
	EVP_PKEY_free(key);
}

enum stream_io stream_tls_handshake(struct stream *stream)
{
	int result;
	enum stream_io io;

	ERR_clear_error();
	result = SSL_do_handshake(stream->ssl);
	io = result == 1 ? STREAM_OK : classify(stream, result);
	if (io == STREAM_OK) {
		stream->tls_up = true;
		forget_peer_key(stream->ssl);
		if (stream->ktls != NULL)
			stream_ktls_look(stream);
	}
	if (io == STREAM_OK || io == STREAM_WAIT) {
		if (stream_flush(stream) == STREAM_RESET)
			return STREAM_RESET;
	}
	return io;
}

bool stream_tls_has_begun(const struct stream *stream)
{
	return SSL_get_state(stream->ssl) != TLS_ST_BEFORE;
}

bool stream_tls_is_13(const struct stream *stream)
{
	return SSL_version(stream->ssl) >= TLS1_3_VERSION;
}

bool stream_tls_resumes_13(const struct stream *stream)
{
	return stream_tls_resumed(stream) && stream_tls_is_13(stream);
}

bool stream_tls_renew_ticket(struct stream *stream)
{
	ERR_clear_error();
	if (SSL_version(stream->ssl) < TLS1_3_VERSION || SSL_get_num_tickets(stream->ssl) == 0)
		return false;
	/* at once, since OpenSSL refuses to send close_notify while a ticket waits */
	if (SSL_new_session_ticket(stream->ssl) != 1 || SSL_do_handshake(stream->ssl) != 1)
		return false;
	(void)stream_flush(stream); /* the next read sees a fault */
	return true;
}

/* Records of a byte: so many fit into the wire buffer that others must get their turn in between. */
#define RECORDS_PER_CALL 512

enum stream_io stream_tls_read_wire(struct stream *stream, struct stream_wire *wire, size_t max, uint8_t *buf,
				    size_t size, size_t *ret_len)
{
	enum stream_io io = STREAM_OK;
	size_t len = 0, n;
	int records;

	/* room for the wire buffer, earlier read-ahead (64 KiB) and a record that is read in part */
	assert(size >= STREAM_TLS_READ_WIRE_BYTES);
	SSL_set_read_ahead(stream->ssl, 0);
	intake_begin(stream, wire, max);
	for (records = 0; io == STREAM_OK && records < RECORDS_PER_CALL; records++) {
		n = 0;
		io = tls_read(stream, buf + len, size - len, &n);
		len += n;
	}
	*ret_len = len;
	if (intake_end(stream) < 0)
		return STREAM_RESET;
	return io == STREAM_WAIT && !wire->exhausted ? STREAM_OK : io;
}

const char *stream_tls_reason(void)
{
	const char *data = NULL;
	int flags = 0;
	unsigned long error = ERR_peek_error_data(&data, &flags);
	const char *reason;

	if (ERR_GET_LIB(error) == ERR_LIB_USER && (flags & ERR_TXT_STRING) != 0)
		return data; /* one of our callbacks has refused */
	error = ERR_peek_last_error_data(&data, &flags);
	reason = ERR_reason_error_string(error);

	if ((ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED ||
	     ERR_GET_REASON(error) == SSL_R_EXCESSIVE_MESSAGE_SIZE) &&
	    (flags & ERR_TXT_STRING) != 0)
		return data;
	return reason != NULL ? reason : "connection closed";
}

bool stream_tls_has_failed(void)
{
	return ERR_peek_error() != 0;
}

const char *stream_tls_version(const struct stream *stream)
{
	return SSL_get_version(stream->ssl);
}

const char *stream_tls_cipher(const struct stream *stream)
{
	return SSL_get_cipher_name(stream->ssl);
}

uint16_t stream_tls_cipher_id(const struct stream *stream)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(stream->ssl);

	return cipher == NULL ? 0 : SSL_CIPHER_get_protocol_id(cipher);
}

const char *stream_tls_group(const struct stream *stream)
{
	int group = (int)SSL_get_negotiated_group(stream->ssl);
	const char *name = group != NID_undef ? SSL_group_to_name(stream->ssl, group) : NULL;

	return name != NULL ? name : "";
}

enum secure_level stream_tls_level(const struct stream *stream)
{
	const SSL_CIPHER *cipher = NULL;

	if (stream->ssl != NULL && stream->tls_up)
		cipher = SSL_get_current_cipher(stream->ssl);
	if (cipher == NULL)
		return SECURE_CLEAR;
	if (SSL_CIPHER_get_cipher_nid(cipher) == NID_undef || SSL_CIPHER_get_bits(cipher, NULL) == 0)
		return SECURE_SAFE;
	return SECURE_PRIVATE;
}

const char *stream_tls_server_name(const struct stream *stream)
{
	if (stream->ssl == NULL || !stream->tls_up)
		return NULL;
	return SSL_get_servername(stream->ssl, TLSEXT_NAMETYPE_host_name);
}

const char *stream_tls_alpn(const struct stream *stream, char buf[static STREAM_TLS_ALPN_MAX])
{
	const unsigned char *name = NULL;
	unsigned int len = 0;

	if (stream->ssl != NULL && stream->tls_up)
		SSL_get0_alpn_selected(stream->ssl, &name, &len);
	if (len >= STREAM_TLS_ALPN_MAX)
		len = STREAM_TLS_ALPN_MAX - 1;
	if (len > 0)
		memcpy(buf, name, len);
	buf[len] = '\0';
	return buf;
}

bool stream_tls_resumed(const struct stream *stream)
{
	return SSL_session_reused(stream->ssl) == 1;
}

bool stream_tls_has_pending(const struct stream *stream)
{
	return SSL_has_pending(stream->ssl) == 1;
}

enum stream_io stream_tls_leave(struct stream *stream, bool answer)
{
	uint8_t first;
	size_t len;
	ssize_t n;
	enum stream_io io;

	if (!stream->closing_tls && !SSL_has_pending(stream->ssl)) {
		do {
			n = recv(stream->watch.fd, &first, 1, MSG_PEEK);
		} while (n == -1 && errno == EINTR);
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return STREAM_WAIT;
		if (n == -1)
			return STREAM_RESET;
		if (n == 0)
			return STREAM_CLEAN;
		if (first < RECORD_FIRST || first > RECORD_LAST) {
			/* The peer sent no close_notify of its own: curl and z/OS CCCNONOTIFY do so. */
			tls_free(stream);
			return STREAM_OK;
		}
	}
	stream->closing_tls = true; /* from here on it is a TLS record, however it is segmented */
	io = tls_read(stream, &first, 1, &len);
	if (io == STREAM_OK) /* application data after CCC */
		return STREAM_RESET;
	if (io != STREAM_CLEAN)
		return io;
	if (answer)
		stream_tls_notify(stream);
	tls_free(stream);
	return stream_flush(stream) == STREAM_RESET ? STREAM_RESET : STREAM_OK;
}
