/* Sealed memory between two versions: what one writes, the other reads, and nothing else. */
#include "gateway/base/handover-state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

static int sealed(void)
{
	static const struct handover_numbers numbers = { .generation = 7, .last_session = 99 };
	static const struct handover_failure failures[] = { { .family = 4, .failures = 3 }, { .family = 6 } };
	struct handover_writer writer = { .bytes = NULL };
	int fd;

	handover_write(&writer, HANDOVER_NUMBERS, &numbers, sizeof(numbers), 1);
	handover_write(&writer, HANDOVER_OLDER, NULL, sizeof(struct handover_older), 0);
	handover_write(&writer, HANDOVER_FAILURES, failures, sizeof(failures[0]), 2);
	fd = handover_seal(&writer);
	assert_true(fd >= 0);
	assert_null(writer.bytes);
	return fd;
}

static void what_is_written_is_read(void **state)
{
	struct handover_reader reader;
	struct handover_numbers numbers;
	struct handover_failure failures[3];
	int fd = sealed();

	(void)state;
	assert_int_equal(handover_open(fd, &reader), 0);
	assert_int_equal(handover_read(&reader, HANDOVER_NUMBERS, &numbers, sizeof(numbers), 1), 1);
	assert_int_equal(numbers.generation, 7);
	assert_int_equal(numbers.last_session, 99);
	assert_int_equal(handover_count(&reader, HANDOVER_FAILURES), 2);
	assert_int_equal(handover_read(&reader, HANDOVER_FAILURES, failures, sizeof(failures[0]), 3), 2);
	assert_int_equal(failures[0].failures, 3);
	assert_int_equal(failures[1].family, 6);
	assert_int_equal(handover_read(&reader, HANDOVER_FAILURES, failures, sizeof(failures[0]), 1), 1);
	assert_int_equal(handover_count(&reader, HANDOVER_OLDER), 0);
	assert_int_equal(handover_count(&reader, HANDOVER_SEEDS), 0);
	handover_close(&reader);
	assert_int_equal(close(fd), 0);
}

/* A later version has longer records, an earlier one shorter ones. */
static void records_of_other_lengths(void **state)
{
	struct {
		struct handover_numbers known;
		uint64_t later;
	} longer = { { .generation = 1, .started_s = 4 }, 5 };
	struct handover_reader reader;
	uint64_t one;
	int fd = sealed();

	(void)state;
	assert_int_equal(handover_open(fd, &reader), 0);
	memset(&longer, 0xff, sizeof(longer));
	assert_int_equal(handover_read(&reader, HANDOVER_NUMBERS, &longer, sizeof(longer), 1), 1);
	assert_int_equal(longer.known.generation, 7);
	assert_int_equal(longer.later, 0);
	assert_int_equal(handover_read(&reader, HANDOVER_NUMBERS, &one, sizeof(one), 1), 1);
	assert_int_equal(one, 7);
	handover_close(&reader);
	assert_int_equal(close(fd), 0);
}

/* All that can be changed in it, byte by byte: it is refused, or read within its bounds. */
static void broken_states(void **state)
{
	struct handover_failure records[64];
	struct handover_reader reader;
	uint8_t bytes[512];
	int fd = sealed();
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

	(void)state;
	assert_true(len > 0 && len < (ssize_t)sizeof(bytes));
	for (ssize_t at = 0; at < len; at++) {
		static const uint8_t changes[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

		assert_int_equal(handover_parse(bytes, (size_t)at, &reader), -EPROTO);
		for (size_t i = 0; i < NELEM(changes); i++) {
			uint8_t before = bytes[at];

			bytes[at] = changes[i];
			if (handover_parse(bytes, (size_t)len, &reader) == 0) {
				(void)handover_read(&reader, HANDOVER_FAILURES, records, sizeof(records[0]),
						    NELEM(records));
				handover_close(&reader);
			} else if (before == bytes[at]) {
				fail_msg("byte %zd: the whole one is refused", at);
			}
			bytes[at] = before;
		}
	}
	/* any number of records without bytes, in the first section after the header */
	bytes[32 + 4] = 0;
	bytes[32 + 11] = 0x7f;
	for (size_t n = 0; n < 2; n++) {
		bytes[32] = n == 0 ? HANDOVER_NUMBERS : 200;
		assert_int_equal(handover_parse(bytes, 32 + 16, &reader), -EPROTO);
		bytes[24] = 32 + 16; /* its length */
		assert_int_equal(handover_parse(bytes, 32 + 16, &reader), -EPROTO);
		bytes[24] = (uint8_t)len;
	}
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), len);
	bytes[12] = HANDOVER_STATE_VERSION + 1; /* readable_by */
	assert_int_equal(handover_parse(bytes, (size_t)len, &reader), -EPROTONOSUPPORT);
	bytes[12] = HANDOVER_STATE_READABLE_BY;
	bytes[8] = 200; /* its version says nothing else */
	assert_int_equal(handover_parse(bytes, (size_t)len, &reader), 0);
	handover_close(&reader);
	assert_int_equal(close(fd), 0);
}

/* It cannot change while it is read, and memory that could is refused. */
static void only_sealed_memory_counts(void **state)
{
	struct handover_reader reader;
	uint8_t bytes[512];
	int fd = sealed(), other = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_ptr_equal(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(write(other, bytes, (size_t)len), len);
	assert_int_equal(handover_open(other, &reader), -EPROTO);
	assert_int_equal(fcntl(other, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(handover_open(other, &reader), -EPROTO);
	assert_int_equal(handover_open(STDIN_FILENO, &reader), -EPROTO);
	assert_int_equal(handover_open(-1, &reader), -EPROTO);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(other), 0);
}

static void too_much(void **state)
{
	struct handover_writer writer = { .bytes = NULL };
	uint8_t *record = calloc(1, HANDOVER_STATE_MAX);

	(void)state;
	handover_write(&writer, HANDOVER_SOCKETS, record, HANDOVER_STATE_MAX, 1);
	assert_int_equal(handover_seal(&writer), -EMSGSIZE);
	assert_int_equal(handover_seal(&writer), -ENODATA);
	free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(records_of_other_lengths),
		cmocka_unit_test(broken_states),
		cmocka_unit_test(only_sealed_memory_counts),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
