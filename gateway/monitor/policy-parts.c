/*
 * The pipe between the process that loads a policy and the monitor. The loader has asked name
 * servers, so the monitor takes nothing from it but whole parts of the right size.
 */
#include "gateway/monitor/policy-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/monitor/keeper-start.h"

struct part {
	uint32_t type, len;
};

static void send_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			_exit(EXIT_FAILURE); /* nobody waits for the result any more */
		at += n;
		len -= (size_t)n;
	}
}

void policy_part_send(int fd, enum part_type type, const void *bytes, size_t len)
{
	const struct part part = { .type = type, .len = (uint32_t)len };

	send_all(fd, &part, sizeof(part));
	send_all(fd, bytes, len);
}

static void note_part(struct policy_parts *parts, const struct part *part, const uint8_t *bytes)
{
	switch ((enum part_type)part->type) {
	case PART_NONE:
		break;
	case PART_STEP:
		parts->step = bytes; /* the last one */
		parts->step_len = part->len;
		break;
	case PART_TEXT:
		if (parts->text != NULL)
			break; /* the first counts: it came before any answer from the network */
		parts->text = bytes;
		parts->text_len = part->len;
		break;
	case PART_OWN:
		if (parts->own != NULL)
			break;
		parts->own = bytes;
		parts->own_len = part->len;
		break;
	case PART_NAMES:
		parts->names = bytes;
		parts->names_len = part->len;
		break;
	case PART_GOOD:
		parts->good = part->len == sizeof(uint32_t) ? bytes : NULL;
		break;
	case PART_USERS:
		parts->users = part->len == sizeof(struct keeper_user) ? bytes : NULL;
		break;
	case PART_TICKETS:
		parts->secrets = bytes;
		parts->secrets_len = part->len;
		break;
	case PART_RINGS:
		if (parts->rings != NULL)
			break; /* as with the text */
		parts->rings = bytes;
		parts->rings_len = part->len;
		break;
	case PART_MAPS:
		if (parts->maps != NULL)
			break;
		parts->maps = bytes;
		parts->maps_len = part->len;
		break;
	case PART_LOST:
		memcpy(&parts->lost, bytes,
		       part->len < sizeof(parts->lost) ? part->len : sizeof(parts->lost));
		break;
	case PART_RESULT:
		if (part->len != sizeof(parts->result_copy))
			break;
		memcpy(&parts->result_copy, bytes, sizeof(parts->result_copy));
		parts->result = &parts->result_copy;
		break;
	}
}

void policy_parts_take(const uint8_t *buf, size_t len, struct policy_parts *parts)
{
	size_t at = 0;
	struct part part;

	*parts = (struct policy_parts){ .text = NULL };
	while (len - at >= sizeof(part)) {
		memcpy(&part, buf + at, sizeof(part));
		at += sizeof(part);
		if (part.len > len - at)
			return;
		note_part(parts, &part, buf + at);
		at += part.len;
	}
}
