/*
 * A record never wraps around the end of the ring: one without a kind fills what is left
 * there. All places are multiples of 8.
 */
#include "gateway/worker/trace-ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 8

static size_t bytes_of(size_t len)
{
	return (sizeof(struct trace_record) + len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct trace_record *record_at(const struct trace_ring *ring, uint64_t at)
{
	return (struct trace_record *)(void *)(ring->bytes + at % ring->size);
}

static size_t left_before_end(const struct trace_ring *ring, uint64_t at)
{
	return ring->size - at % ring->size;
}

int trace_ring_init(struct trace_ring *ring, size_t size,
		    void (*on_drop)(struct trace_ring *ring, uint64_t at, const struct trace_record *record))
{
	assert(size >= TRACE_RING_MIN);
	*ring = (struct trace_ring){ .size = size / ALIGNMENT * ALIGNMENT, .on_drop = on_drop };
	ring->bytes = malloc(ring->size);
	return ring->bytes != NULL ? 0 : -ENOMEM;
}

void trace_ring_done(struct trace_ring *ring)
{
	free(ring->bytes);
	*ring = (struct trace_ring){ .size = 0 };
}

uint64_t trace_ring_after(uint64_t at, const struct trace_record *record)
{
	return at + bytes_of(record->len);
}

/* Skip what fills the end. */
static uint64_t skip_end(const struct trace_ring *ring, uint64_t at)
{
	size_t left = left_before_end(ring, at);

	if (at < ring->head && (left < sizeof(struct trace_record) || record_at(ring, at)->kind == 0))
		return at + left;
	return at;
}

struct trace_record *trace_ring_at(const struct trace_ring *ring, uint64_t *at)
{
	if (*at < ring->tail)
		*at = ring->tail;
	*at = skip_end(ring, *at);
	return *at < ring->head ? record_at(ring, *at) : NULL;
}

static void drop_oldest(struct trace_ring *ring)
{
	const struct trace_record *record = trace_ring_at(ring, &ring->tail);

	if (record == NULL)
		return;
	if (record->readers != 0)
		ring->on_drop(ring, ring->tail, record);
	ring->tail = trace_ring_after(ring->tail, record);
}

static void make_room(struct trace_ring *ring, size_t size)
{
	while (ring->head + size - ring->tail > ring->size)
		drop_oldest(ring);
}

struct trace_record *trace_ring_add(struct trace_ring *ring, size_t len)
{
	size_t size = bytes_of(len), left = left_before_end(ring, ring->head);
	struct trace_record *record;

	assert(size < TRACE_RING_MIN / 2);
	if (left < size) {
		make_room(ring, left);
		if (left >= sizeof(*record))
			*record_at(ring, ring->head) = (struct trace_record){ .kind = 0 };
		ring->head += left;
	}
	make_room(ring, size);
	record = record_at(ring, ring->head);
	*record = (struct trace_record){ .len = (uint16_t)len };
	ring->head += size;
	return record;
}
