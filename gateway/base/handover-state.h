/*
 * What one attlsd hands to the next at an upgrade, as sections of records in sealed memory
 * (memfd_create(2)), since keys of TLS sessions are in it. The two are different programs:
 * each section says how long its records are, so either side may know longer ones, and
 * sections that a reader does not know are skipped.
 */
#ifndef ATTLSD_GATEWAY_BASE_HANDOVER_STATE_H
#define ATTLSD_GATEWAY_BASE_HANDOVER_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ticket-seeds.h"

/* Of the format; and the oldest reader that understands what this writer writes. */
#define HANDOVER_STATE_VERSION	   1
#define HANDOVER_STATE_READABLE_BY 1

/*
 * Numbers are never used again for something else. Fields are only added at the end of a record: who
 * does not know one skips it, and who misses one reads zeros, which must mean "as before".
 *
 * To pass on something new, add a section with the next number and a struct with a checked size, write
 * and read it in heritage.c, and leave HANDOVER_STATE_VERSION as it is: a reader that does not know the
 * section skips it. heritage_send() passes on what the new attlsd needs before its workers start,
 * heritage_late() what may change until then.
 */
enum handover_section {
	HANDOVER_NUMBERS = 1,	  /* struct handover_numbers, one */
	HANDOVER_SOCKETS = 2,	  /* struct handover_socket */
	HANDOVER_SEEDS = 3,	  /* struct handover_seed */
	HANDOVER_USER_KEY = 4,	  /* its bytes, one record */
	HANDOVER_FAILURES = 5,	  /* struct handover_failure */
	HANDOVER_OLDER = 6,	  /* struct handover_older */
	HANDOVER_TEXTS = 7,	  /* struct handover_text, of the next section; the first is "" */
	HANDOVER_COUNTS = 8,	  /* struct handover_count */
	HANDOVER_MAINTENANCE = 9, /* struct handover_maintenance; none: there is no maintenance */
	HANDOVER_DISABLED = 24,	  /* struct handover_disabled */
	HANDOVER_PLANS = 25,	  /* struct handover_waiting of handover-link.h */
};

struct handover_numbers {
	uint64_t generation;   /* the last one */
	uint64_t last_session; /* its number */
	uint64_t watchdog_ms;  /* how often the service manager wants to hear; 0: it does not */
	uint64_t started_s;    /* when the first attlsd of this row began to count, since 1970; 0: unknown */
	uint32_t ctl_version;  /* CTL_VERSION of the sender */
	uint32_t zero;
};

enum handover_purpose {
	HANDOVER_FOR_LISTENER = 1,
	HANDOVER_FOR_CONTROL,
	HANDOVER_FOR_HTTP,
	HANDOVER_FOR_NOTIFY,	/* of the service manager */
	HANDOVER_FOR_ACTIVATED, /* one that it has passed; listeners that use it have copies */
	HANDOVER_FOR_AGENT,
	HANDOVER_FOR_CHARTS,	       /* memory of chart-memory.h */
	HANDOVER_FOR_SHARED_PORT = 20, /* see HANDOVER_PLAN */
};

struct handover_socket {
	uint32_t purpose;    /* enum handover_purpose; a reader skips what it does not know */
	uint32_t descriptor; /* its place among those that came along */
	uint32_t activated;  /* 1: it is the service manager's (socket activation) */
	uint16_t family;     /* 0, 4 or 6 */
	uint16_t port;	     /* as the policy has it */
	uint8_t address[16]; /* as in struct ip_addr */
	char name[64];
	char path[112];	   /* of a UNIX socket */
	uint64_t dev, ino; /* of its file */
};

/* The newest of each rotation first. */
struct handover_seed {
	uint32_t rotation_s;
	uint32_t zero;
	uint64_t lifetime_ms;
	uint64_t since_ms; /* CLOCK_MONOTONIC */
	uint8_t bytes[TICKET_SEED_BYTES];
};

struct handover_failure {
	uint32_t family;
	uint32_t failures;
	uint8_t address[16];
	uint64_t failed_ms; /* CLOCK_MONOTONIC */
};

/* A server of a backend that an operator has disabled. */
struct handover_disabled {
	uint64_t since_s; /* since 1970 */
	char backend[40];
	char address[272]; /* as policy writes it */
};

/* An attlsd that has been replaced and still has sessions. */
struct handover_older {
	uint32_t descriptor; /* of the link with it */
	uint32_t guards;     /* 1: it is the process that the service manager or container knows */
	int32_t pid;
	uint32_t workers;
	uint64_t generation, sessions;
	char version[32];
	uint64_t last_session; /* the number of its last one; 0: unknown */
	uint32_t ctl_version;  /* 0: unknown */
	uint32_t zero;
};

/* The name of a family, a value of a label, or a name out of a policy. */
struct handover_text {
	char text[64];
};

/* A counter. Families, labels and values are those of the writer, so texts say which one it is. */
struct handover_count {
	int32_t process; /* the pid of a replaced attlsd that has counted it; 0: the writer has */
	uint16_t family; /* this and the next two are places among the texts */
	uint16_t labels[6];
	uint16_t second;	  /* a name's second part */
	uint16_t bucket, buckets; /* which number of a histogram, of how many */
	uint64_t value;
};

/* Comes last of all, so that an order during the upgrade counts. */
struct handover_maintenance {
	uint32_t refuses;
	uint32_t zero;
	uint64_t since_ms, end_ms; /* CLOCK_MONOTONIC; end_ms 0: never */
};

/* More than any policy needs. */
#define HANDOVER_STATE_MAX (16 * 1024 * 1024)

struct handover_writer {
	uint8_t *bytes;
	size_t len, cap;
	int error; /* 0, or the first one */
};

/* Add a section of `n` records of `size` bytes each. An error is remembered until the end. */
void handover_write(struct handover_writer *writer, enum handover_section section, const void *records,
		    size_t size, size_t n);

/*
 * Make sealed memory of it, and wipe the writer. Returns its descriptor, close-on-exec, or a
 * negative errno.
 */
int handover_seal(struct handover_writer *writer);

struct handover_reader {
	uint8_t *bytes;
	size_t len;
};

/*
 * Read sealed memory. Returns 0; -EPROTO: it is not what handover_seal() makes; -EPROTONOSUPPORT:
 * the writer is too new; -ENOMEM or another errno. The descriptor stays the caller's.
 */
int handover_open(int fd, struct handover_reader *ret);

/* The same for bytes, which are copied. */
int handover_parse(const uint8_t *bytes, size_t len, struct handover_reader *ret);

/*
 * Copy at most `max` records of a section to `records`, each to a place of `size` bytes; what
 * the writer did not know is zero. Returns how many.
 */
size_t handover_read(const struct handover_reader *reader, enum handover_section section, void *records,
		     size_t size, size_t max);

/* How many records a section has. */
size_t handover_count(const struct handover_reader *reader, enum handover_section section);

/* Wipe and free. */
void handover_close(struct handover_reader *reader);

#endif
