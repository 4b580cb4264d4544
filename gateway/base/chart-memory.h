/*
 * The charts of the last hour, in memory that lives longer than the HTTP process that draws them: the
 * monitor gives it to each one that it starts, and to the attlsd that replaces it. It may hold
 * anything, since an HTTP process is not trusted and the attlsd before may be of another version.
 */
#ifndef ATTLSD_GATEWAY_BASE_CHART_MEMORY_H
#define ATTLSD_GATEWAY_BASE_CHART_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define CHART_STEPS  360
#define CHART_STEP_S 10

enum chart_row {
	CHART_SESSIONS,
	CHART_TRANSFERS, /* under way */
	CHART_HANDSHAKES,
	CHART_REFUSALS,
	CHART_BYTES_IN,
	CHART_BYTES_OUT,
	CHART_ROWS
};

#define CHART_UNKNOWN UINT64_MAX

/* Of this layout. Zeroes are an hour of which nothing is known. */
#define CHART_VERSION 1

struct chart_memory {
	uint32_t version; /* 0: new */
	uint32_t n;	  /* how many steps there are, */
	uint32_t next;	  /* and the place of the next */
	uint32_t zero;
	uint64_t end_s; /* when the last one ended, since 1970 */
	uint64_t steps[CHART_STEPS][CHART_ROWS];
};

/* Memory that cannot change its size. Returns a descriptor or a negative errno. */
int chart_memory_make(void);

/* Is it memory of chart_memory_make()? */
bool chart_memory_is(int fd);

/* Share it. NULL: errno says why not. The descriptor stays the caller's. */
struct chart_memory *chart_memory_map(int fd);

#endif
