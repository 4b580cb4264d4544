/*
 * Puts the answers to CTL_METRICS together. They come from the monitor, and each is
 * checked all the same: another version of attlsd has other numbers.
 */
#include "gateway/view/metrics.h"

static int take_name(struct metrics *metrics, const struct answer_name *name)
{
	if (name->kind >= COUNT_KINDS || name->place >= COUNT_NAMES)
		return -1;
	metrics->names[name->kind][name->place] = *name;
	return 0;
}

static int take_counts(struct metrics *metrics, const struct answer_counts *counts)
{
	if (counts->cells != COUNT_CELLS || counts->n > ANSWER_COUNTS_MAX || counts->first > COUNT_CELLS ||
	    counts->n > COUNT_CELLS - counts->first)
		return -1;
	for (size_t i = 0; i < counts->n; i++)
		count_write(&metrics->values, counts->first + i, counts->values[i]);
	return counts->last != 0;
}

int metrics_take(void *context, const struct answer *answer)
{
	struct metrics *metrics = context;

	switch ((enum answer_kind)answer->kind) {
	case ANSWER_GATEWAY:
		metrics->gateway = answer->u.gateway;
		return 0;
	case ANSWER_NAME:
		return take_name(metrics, &answer->u.name);
	case ANSWER_COUNTS:
		return take_counts(metrics, &answer->u.counts);
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_FORBIDDEN:
	case ANSWER_WORKER:
	case ANSWER_OLDER:
	case ANSWER_SESSION:
	case ANSWER_SERVER:
	case ANSWER_EVENT:
	case ANSWER_CLIENT:
	case ANSWER_BACKEND:
	case ANSWER_TRACE:
	case ANSWER_LIST_END:
		break;
	}
	return -1;
}
