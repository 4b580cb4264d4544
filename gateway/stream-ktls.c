#include "gateway/stream-ktls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "gateway/netsock.h"
#include "gateway/stream-tls.h"

/* One record that the kernel has sent in part, what it takes to account for it, and the close_notify. */
#define ROOM_FOR_THE_END (24 * 1024)
/* request_update, behind the header of the message */
#define KEY_UPDATE_REQUEST_AT 4

int stream_ktls_allow(struct stream *stream)
{
	struct stream_ktls *ktls = calloc(1, sizeof(*ktls));

	if (ktls == NULL)
		return -ENOMEM;
	/* asks the socket for its TLS layer at once; a kernel without one says no, and all stays as it is */
	ktls->socket = BIO_new_socket(stream->watch.fd, BIO_NOCLOSE);
	if (ktls->socket == NULL) {
		free(ktls);
		return -ENOMEM;
	}
	(void)SSL_set_options(stream->ssl, SSL_OP_ENABLE_KTLS);
	stream->ktls = ktls;
	return 0;
}

void stream_ktls_free(struct stream *stream)
{
	if (stream->ktls == NULL)
		return;
	BIO_free(stream->ktls->socket);
	free(stream->ktls);
	stream->ktls = NULL;
}

bool stream_ktls_has_in(const struct stream *stream)
{
	(void)stream; /* an OpenSSL that was built without kTLS does not ask */
	return BIO_get_ktls_recv(stream->ktls->socket);
}

bool stream_ktls_has_out(const struct stream *stream)
{
	(void)stream;
	return BIO_get_ktls_send(stream->ktls->socket);
}

void stream_ktls_look(struct stream *stream)
{
	stream->ktls->in = stream_ktls_has_in(stream);
	stream->ktls->out = stream_ktls_has_out(stream);
	if (!stream->ktls->in && !stream->ktls->out)
		stream_ktls_free(stream);
}

int stream_ktls_bio_read(struct stream *stream, BIO *bio, char *buf, size_t size, size_t *ret_read)
{
	int r = BIO_read_ex(stream->ktls->socket, buf, size, ret_read);

	if (r == 1)
		return 1;
	if (BIO_should_retry(stream->ktls->socket))
		BIO_set_retry_read(bio);
	else if (BIO_eof(stream->ktls->socket))
		stream->saw_fin = true;
	else
		stream->saw_reset = true;
	return 0;
}

int stream_ktls_bio_write(struct stream *stream, BIO *bio, const char *bytes, size_t len, size_t *ret_written)
{
	int r = BIO_write_ex(stream->ktls->socket, bytes, len, ret_written);

	if (r == 1)
		return 1;
	if (BIO_should_retry(stream->ktls->socket))
		BIO_set_retry_write(bio);
	else
		stream->saw_reset = true;
	return 0;
}

long stream_ktls_bio_ctrl(struct stream *stream, int command, long num, void *ptr)
{
	return BIO_ctrl(stream->ktls->socket, command, num, ptr);
}

void stream_ktls_check(struct stream *stream, const uint8_t *message, size_t len)
{
	const struct stream_ktls *ktls = stream->ktls;
	bool update = len > KEY_UPDATE_REQUEST_AT && message[0] == SSL3_MT_KEY_UPDATE;

	if (update && (ktls->in || (ktls->out && message[KEY_UPDATE_REQUEST_AT] == SSL_KEY_UPDATE_REQUESTED)))
		stream->ktls->rekeyed = stream->saw_reset = true;
}

bool stream_ktls_is_control(const struct stream *stream, int error)
{
	/* EINVAL of splice(), EIO of recv(): a record that is not data is next */
	return stream->ktls->engine || error == EINVAL || error == EIO;
}

enum stream_io stream_ktls_read(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	struct stream_ktls *ktls = stream->ktls;
	ssize_t n;

	if (!ktls->engine) {
		do {
			n = recv(stream->watch.fd, buf, size, 0);
		} while (n == -1 && errno == EINTR);
		if (n > 0) {
			*ret_len = (size_t)n;
			return STREAM_OK;
		}
		if (n == 0) {
			stream->saw_fin = true;
			return STREAM_TRUNCATED; /* it was not close_notify that ended it */
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return STREAM_WAIT;
		if (!stream_ktls_is_control(stream, errno)) {
			stream->saw_reset = true;
			return STREAM_RESET;
		}
	}
	enum stream_io io = stream_tls_read(stream, buf, size, ret_len);

	/* behind the record in question it may have read one with data, and not handed out all of it */
	ktls->engine = SSL_has_pending(stream->ssl) == 1;
	return io;
}

enum stream_io stream_ktls_notify(struct stream *stream, bool *ret_fin)
{
	int result;

	*ret_fin = netsock_has_room(stream->watch.fd, ROOM_FOR_THE_END);
	ERR_clear_error();
	result = SSL_shutdown(stream->ssl);
	if (result >= 0)
		return STREAM_OK;
	return SSL_get_error(stream->ssl, result) == SSL_ERROR_WANT_WRITE ? STREAM_WAIT : STREAM_RESET;
}

const char *stream_ktls_name(const struct stream *stream)
{
	static const char *const names[2][2] = { { "no", "out" }, { "in", "both" } };

	return stream->ktls == NULL ? "no" : names[stream->ktls->in][stream->ktls->out];
}
