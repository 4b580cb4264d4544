/*
 * Makes the BIOs that connect OpenSSL to a stream, and registers their kind with
 * OpenSSL when it is first needed.
 */
#include "gateway/net/stream-bio.h"

#include <openssl/bio.h>

static BIO_METHOD *make_method(const struct stream_bio_kind *kind)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, kind->name);

	if (method == NULL || BIO_meth_set_write_ex(method, kind->write) != 1 ||
	    BIO_meth_set_read_ex(method, kind->read) != 1 || BIO_meth_set_ctrl(method, kind->ctrl) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

BIO *stream_bio_new(struct stream_bio_kind *kind, struct stream *stream)
{
	BIO *bio;

	if (kind->method == NULL)
		kind->method = make_method(kind);
	bio = kind->method != NULL ? BIO_new(kind->method) : NULL;
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, stream);
	BIO_set_init(bio, 1);
	return bio;
}
