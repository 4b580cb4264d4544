/*
 * Hands our direction of a TLS connection to the kernel. OpenSSL writes through a
 * BIO that queues records until the kernel has the keys, and passes the content of
 * records on to OpenSSL's own socket BIO from then on.
 */
#include "gateway/net/stream-ktls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "gateway/net/stream-bio.h"

/* request_update, after the header of the message */
#define KEY_UPDATE_REQUEST_AT 4

/* Has the kernel our keys? Always false with an OpenSSL that was built without kTLS. */
static bool has_keys(const struct stream_ktls *ktls)
{
	return ktls != NULL && BIO_get_ktls_send(ktls->socket);
}

/* Records, until the kernel has the keys; then their content, of a type that a control has set before. */
static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *ret_written)
{
	struct stream *stream = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (stream->saw_reset)
		return 0;
	if (!has_keys(stream->ktls)) {
		*ret_written = len;
		return outq_add(&stream->outq, (const uint8_t *)bytes, len) < 0 ? 0 : 1;
	}
	if (BIO_write_ex(stream->ktls->socket, bytes, len, ret_written) == 1)
		return 1;
	if (BIO_should_retry(stream->ktls->socket))
		BIO_set_retry_write(bio);
	else
		stream->saw_reset = true;
	return 0;
}

static long bio_ctrl(BIO *bio, int command, long num, void *ptr)
{
	struct stream *stream = BIO_get_data(bio);

	if (command != BIO_CTRL_FLUSH)
		return stream->ktls != NULL ? BIO_ctrl(stream->ktls->socket, command, num, ptr) : 0;
	/* the kernel gets the keys after a flush, so the queued records must be gone by then */
	if (has_keys(stream->ktls) || stream_flush(stream) == STREAM_OK)
		return 1;
	BIO_set_retry_write(bio);
	return 0;
}

/* Not constant: OpenSSL has few numbers for kinds of BIOs, so each is made once and lives as long as the
 * process. */
static struct stream_bio_kind to_kernel = {
	.name = "stream to the kernel",
	.write = bio_write,
	.ctrl = bio_ctrl,
};

int stream_ktls_allow(struct stream *stream)
{
	struct stream_ktls *ktls = calloc(1, sizeof(*ktls));
	BIO *bio = stream_bio_new(&to_kernel, stream);

	/* this asks the socket for its TLS layer; where the kernel has none, nothing changes */
	if (ktls != NULL)
		ktls->socket = BIO_new_socket(stream->watch.fd, BIO_NOCLOSE);
	if (bio == NULL || ktls == NULL || ktls->socket == NULL) {
		BIO_free(bio);
		free(ktls);
		return -ENOMEM;
	}
	/* the BIO for reading stays as it is, so only the keys for writing are passed on */
	SSL_set0_wbio(stream->ssl, bio);
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
	stream->kernel_encrypts = false;
}

void stream_ktls_look(struct stream *stream)
{
	stream->kernel_encrypts = has_keys(stream->ktls);
	if (!stream->kernel_encrypts)
		stream_ktls_free(stream);
}

void stream_ktls_check(struct stream *stream, const uint8_t *message, size_t len)
{
	if (len > KEY_UPDATE_REQUEST_AT && message[0] == SSL3_MT_KEY_UPDATE &&
	    message[KEY_UPDATE_REQUEST_AT] == SSL_KEY_UPDATE_REQUESTED)
		stream->ktls->rekeyed = stream->saw_reset = true;
}

enum stream_io stream_ktls_notify(struct stream *stream)
{
	int result;

	ERR_clear_error();
	result = SSL_shutdown(stream->ssl);
	if (result >= 0)
		return STREAM_OK;
	return SSL_get_error(stream->ssl, result) == SSL_ERROR_WANT_WRITE ? STREAM_WAIT : STREAM_RESET;
}
