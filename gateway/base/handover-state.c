/*
 * Writes and reads the sections of an upgrade. The writer is root's monitor, but of another
 * version, so the reader checks every length and ignores what it does not know.
 */
#include "gateway/base/handover-state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/memory-file.h"
#include "gateway/base/util.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const char magic[8] = "attlsdUP";

struct header {
	char magic[8];
	uint32_t version, readable_by;
	uint32_t size; /* of this header: sections begin after it */
	uint32_t zero;
	uint64_t len; /* of everything */
};

struct section {
	uint32_t type, size, n, zero;
};

_Static_assert(sizeof(struct header) == 32 && sizeof(struct section) == 16, "other versions read these");
_Static_assert(sizeof(struct handover_numbers) == 40 && sizeof(struct handover_socket) == 224 &&
		   sizeof(struct handover_seed) == 56 && sizeof(struct handover_failure) == 32 &&
		   sizeof(struct handover_older) == 80 && sizeof(struct handover_text) == 64 &&
		   sizeof(struct handover_count) == 32,
	       "other versions read these: only add at the end, and to a multiple of 8");

/* Old memory is wiped, since it may have had keys. */
static int make_room(struct handover_writer *writer, size_t more)
{
	size_t cap = writer->cap == 0 ? 4096 : writer->cap;
	uint8_t *bytes;

	if (more > HANDOVER_STATE_MAX - writer->len)
		return -EMSGSIZE;
	while (cap < writer->len + more)
		cap *= 2;
	if (cap == writer->cap)
		return 0;
	bytes = calloc(1, cap);
	if (bytes == NULL)
		return -ENOMEM;
	if (writer->bytes != NULL) {
		memcpy(bytes, writer->bytes, writer->len);
		explicit_bzero(writer->bytes, writer->len);
		free(writer->bytes);
	}
	writer->bytes = bytes;
	writer->cap = cap;
	return 0;
}

static void append(struct handover_writer *writer, const void *bytes, size_t len)
{
	if (writer->error == 0)
		writer->error = make_room(writer, len);
	if (writer->error < 0 || len == 0)
		return;
	memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

void handover_write(struct handover_writer *writer, enum handover_section type, const void *records,
		    size_t size, size_t n)
{
	const struct section section = { .type = type, .size = (uint32_t)size, .n = (uint32_t)n };
	static const struct header empty;

	if (writer->len == 0)
		append(writer, &empty, sizeof(empty));
	if (n > HANDOVER_STATE_MAX / size) {
		writer->error = -EMSGSIZE;
		return;
	}
	append(writer, &section, sizeof(section));
	append(writer, records, size * n);
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int handover_seal(struct handover_writer *writer)
{
	struct header header = {
		.version = HANDOVER_STATE_VERSION,
		.readable_by = HANDOVER_STATE_READABLE_BY,
		.size = sizeof(header),
		.len = writer->len,
	};
	int fd = -1;
	int r = writer->error == 0 && writer->len == 0 ? -ENODATA : writer->error;

	if (r == 0) {
		memcpy(header.magic, magic, sizeof(magic));
		memcpy(writer->bytes, &header, sizeof(header));
		fd = memory_file("attlsd-upgrade");
		r = fd < 0 ? fd : write_all(fd, writer->bytes, writer->len);
	}
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		r = -errno;
	if (r < 0 && fd >= 0)
		fd_close(&fd);
	if (writer->bytes != NULL)
		explicit_bzero(writer->bytes, writer->cap);
	free(writer->bytes);
	*writer = (struct handover_writer){ .bytes = NULL };
	return r < 0 ? r : fd;
}

/* The section that begins at *at, or false at the end; *at is moved behind its records. */
static bool next_section(const struct handover_reader *reader, size_t *at, struct section *ret,
			 const uint8_t **ret_records)
{
	uint64_t size;

	if (reader->len - *at < sizeof(*ret))
		return false;
	memcpy(ret, reader->bytes + *at, sizeof(*ret));
	size = (uint64_t)ret->size * ret->n;
	/* of records without bytes, any number would fit */
	if (size > reader->len - *at - sizeof(*ret) || (ret->size == 0 && ret->n > 0))
		return false;
	*ret_records = reader->bytes + *at + sizeof(*ret);
	*at += sizeof(*ret) + (size_t)size;
	return true;
}

static int check(const struct handover_reader *reader, size_t *ret_first)
{
	struct header header;
	struct section section;
	const uint8_t *records;
	size_t at;

	if (reader->len < sizeof(header))
		return -EPROTO;
	memcpy(&header, reader->bytes, sizeof(header));
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.len != reader->len ||
	    header.size < sizeof(header) || header.size > reader->len)
		return -EPROTO;
	if (header.readable_by > HANDOVER_STATE_VERSION)
		return -EPROTONOSUPPORT;
	at = *ret_first = header.size;
	while (next_section(reader, &at, &section, &records))
		;
	return at == reader->len ? 0 : -EPROTO;
}

int handover_parse(const uint8_t *bytes, size_t len, struct handover_reader *ret)
{
	struct handover_reader reader = { .bytes = malloc(len + 1), .len = len };
	size_t first;
	int r;

	if (reader.bytes == NULL)
		return -ENOMEM;
	memcpy(reader.bytes, bytes, len);
	r = check(&reader, &first);
	if (r < 0)
		handover_close(&reader);
	else
		*ret = reader;
	return r;
}

int handover_open(int fd, struct handover_reader *ret)
{
	struct stat st;
	void *bytes;
	int r;

	/* sealed, so that the file cannot change or shrink while it is read */
	if (fcntl(fd, F_GET_SEALS) == -1 || (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
		return -EPROTO;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (st.st_size <= 0 || st.st_size > HANDOVER_STATE_MAX)
		return -EPROTO;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	r = handover_parse(bytes, (size_t)st.st_size, ret);
	(void)munmap(bytes, (size_t)st.st_size);
	return r;
}

size_t handover_read(const struct handover_reader *reader, enum handover_section type, void *records,
		     size_t size, size_t max)
{
	struct section section;
	const uint8_t *from;
	uint8_t *to = records;
	size_t at, n = 0;

	if (check(reader, &at) < 0)
		return 0;
	while (next_section(reader, &at, &section, &from)) {
		size_t shared = section.size < size ? section.size : size;

		for (size_t i = 0; section.type == type && i < section.n && n < max; i++, n++) {
			memset(to + n * size, 0, size);
			memcpy(to + n * size, from + i * section.size, shared);
		}
	}
	return n;
}

size_t handover_count(const struct handover_reader *reader, enum handover_section type)
{
	struct section section;
	const uint8_t *from;
	size_t at, n = 0;

	if (check(reader, &at) < 0)
		return 0;
	while (next_section(reader, &at, &section, &from))
		if (section.type == type)
			n += section.n;
	return n;
}

void handover_close(struct handover_reader *reader)
{
	if (reader->bytes != NULL)
		explicit_bzero(reader->bytes, reader->len);
	free(reader->bytes);
	*reader = (struct handover_reader){ .bytes = NULL };
}
