/*
 * A BIO for OpenSSL whose other end is a stream. There are two kinds: to the stream
 * itself (stream-tls.c) and to the kernel (stream-ktls.c).
 */
#ifndef ATTLSD_GATEWAY_NET_STREAM_BIO_H
#define ATTLSD_GATEWAY_NET_STREAM_BIO_H

#include <stddef.h>

struct bio_method_st;
struct bio_st;
struct stream;

/* The functions find their stream with BIO_get_data(). */
struct stream_bio_kind {
	const char *name;
	int (*write)(struct bio_st *bio, const char *bytes, size_t len, size_t *ret_written);
	int (*read)(struct bio_st *bio, char *buf, size_t size, size_t *ret_read); /* NULL: nothing is read */
	long (*ctrl)(struct bio_st *bio, int command, long num, void *ptr);
	struct bio_method_st *method; /* NULL until the first BIO is made */
};

/* NULL: no memory. `kind` lives as long as the process. */
struct bio_st *stream_bio_new(struct stream_bio_kind *kind, struct stream *stream);

#endif
