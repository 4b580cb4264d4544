/*
 * The tables of counters.def, and counting in histograms and sparse families. The
 * monitor adds pages up (gateway/monitor/totals.c), and gateway/view/metrics-text.c
 * prints them.
 */
#include "gateway/base/counters.h"

#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/tls-alert.h"
#include "gateway/base/util.h"
#include "policy/policy.h"

#define V(id, text)		text,
#define LABEL(id, name, values) static const char *const values_##id[] = { values };
#define WORDS(id, name, values) static const char *const values_##id[] = { values };
#define BOUNDS(id, n, ...)                                                                                   \
	static const uint64_t bounds_##id[] = { __VA_ARGS__ };                                               \
	_Static_assert(NELEM(bounds_##id) == (n) && (n) <= COUNT_BOUNDS_MAX, "the bounds of a histogram");
#include "gateway/base/counters.def"
#undef V

/* The tables elsewhere: a text, or NULL past the end. */
static const char *counters_cipher(size_t index)
{
	const struct cipher *cipher = cipher_at(index);

	if (cipher == NULL)
		return NULL;
	return cipher->openssl != NULL ? cipher->openssl : cipher->iana;
}

static const char *counters_group(size_t index)
{
	const struct tls_name *group = tls_name_at(TLS_NAME_GROUP, index);

	return group == NULL ? NULL : group->iana;
}

static const char *counters_alert(size_t index)
{
	return tls_alert_at(index);
}

static const char *counters_verb(size_t index)
{
	return index < ftp_nverbs ? ftp_verbs[index].name : NULL;
}

/* The key that decides on the reply with this number. Of several replies with one key, the first stands for
 * it. */
static const char *counters_key(size_t index)
{
	if (index == COUNT_KEY_NONE)
		return "none";
	return index < FTP_LOCAL_COUNT ? ftp_local_key_at(index) : NULL;
}

static const struct {
	const char *name, *second;
	const char *const *values;
	size_t n;
	const char *(*table)(size_t index);
	bool names;
	enum count_kind kind;
} labels[COUNT_LABELS] = {
	[COUNT_LABEL_NONE] = { .n = COUNT_N_NONE },
#define LABEL(id, label, texts)                                                                              \
	[COUNT_LABEL_##id] = { .name = (label), .values = values_##id, .n = COUNT_N_##id },
#define WORDS(id, label, texts) LABEL(id, label, texts)
#define NAMES(id, label, other)                                                                              \
	[COUNT_LABEL_##id] = {                                                                               \
		.name = (label), .second = (other), .n = COUNT_NAMES, .names = true, .kind = COUNT_KIND_##id \
	},
#define TABLE(id, label, function)                                                                           \
	[COUNT_LABEL_##id] = { .name = (label), .n = COUNT_N_##id, .table = (function) },
#include "gateway/base/counters.def"
};

const struct count_family_info count_families[COUNT_FAMILIES] = {
#define PART(id) .at = COUNT_AT_##id, .cells = COUNT_LAST_##id - COUNT_AT_##id + 1
#define FAMILY(id, kind, text, of, a, b, c, about)                                                           \
	[COUNT_##id] = { .name = (text),                                                                     \
			 .unit = (of),                                                                       \
			 .help = (about),                                                                    \
			 .type = COUNT_TYPE_##kind,                                                          \
			 .labels = { COUNT_LABEL_##a, COUNT_LABEL_##b, COUNT_LABEL_##c },                    \
			 PART(id) },
#define HISTOGRAM(id, text, of, limits, a, about)                                                            \
	[COUNT_##id] = { .name = (text),                                                                     \
			 .unit = (of),                                                                       \
			 .help = (about),                                                                    \
			 .type = COUNT_TYPE_HISTOGRAM,                                                       \
			 .labels = { COUNT_LABEL_##a },                                                      \
			 .bounds = bounds_##limits,                                                          \
			 .nbounds = COUNT_BOUNDS_##limits,                                                   \
			 PART(id) },
#define SPARSE(id, text, a, b, c, d, e, f, about)                                                            \
	[COUNT_##id] = { .name = (text),                                                                     \
			 .unit = "",                                                                         \
			 .help = (about),                                                                    \
			 .type = COUNT_TYPE_SPARSE,                                                          \
			 .labels = { COUNT_LABEL_##a, COUNT_LABEL_##b, COUNT_LABEL_##c, COUNT_LABEL_##d,     \
				     COUNT_LABEL_##e, COUNT_LABEL_##f },                                     \
			 PART(id) },
#include "gateway/base/counters.def"
#undef PART
};

static struct counters private_page; /* of a process that shares none */
struct counters *count_page = &private_page;
unsigned count_process = COUNT_PROCESS_MONITOR;

void count_use(struct counters *page)
{
	count_page = page;
	count_process = COUNT_PROCESS_WORKER;
}

size_t count_values(enum count_label label)
{
	return labels[label].n;
}

bool count_is_names(enum count_label label, enum count_kind *ret_kind)
{
	*ret_kind = labels[label].kind;
	return labels[label].names;
}

const char *count_label_name(enum count_label label, bool second)
{
	return second ? labels[label].second : labels[label].name;
}

const char *count_value_text(enum count_label label, size_t value)
{
	const char *text = NULL;

	if (labels[label].values != NULL)
		return value < labels[label].n ? labels[label].values[value] : NULL;
	if (labels[label].table == NULL)
		return NULL;
	if (value != COUNT_TABLE_OTHER)
		text = labels[label].table(value);
	return text != NULL ? text : "other";
}

size_t count_value(enum count_label label, const char *text)
{
	size_t other = labels[label].n - 1;

	for (size_t i = 0; i < other; i++)
		if (strcmp(labels[label].values[i], text) == 0)
			return i;
	return other;
}

void count_observe(enum count_family family, size_t index, uint64_t value)
{
	const struct count_family_info *info = &count_families[family];
	size_t at = info->at + index * (info->nbounds + 2);
	size_t bucket = 0;

	assert(at < info->at + info->cells);
	while (bucket < info->nbounds && value > info->bounds[bucket])
		bucket++;
	count_cell(at + bucket, 1);
	count_cell(at + info->nbounds + 1, value);
}

/* The combination as a number, which is never 0: an empty place has that. */
static uint64_t pack(const struct count_family_info *info, const uint8_t *values)
{
	uint64_t key = 1;

	for (size_t i = 0; i < COUNT_LABELS_MAX && info->labels[i] != COUNT_LABEL_NONE; i++)
		key = key << 8 | values[i];
	return key;
}

/* False: a number that stands for no combination. A taken-over worker may have written it. */
static bool unpack(const struct count_family_info *info, uint64_t key, uint8_t *ret_values)
{
	size_t n = 0;

	while (n < COUNT_LABELS_MAX && info->labels[n] != COUNT_LABEL_NONE)
		n++;
	if (key >> (8 * n) != 1)
		return false;
	for (size_t i = n; i > 0; i--) {
		ret_values[i - 1] = (uint8_t)key;
		key >>= 8;
		if (ret_values[i - 1] >= labels[info->labels[i - 1]].n)
			return false;
	}
	return true;
}

/* The place of a combination: its own, an empty one, or else the last. */
static size_t find_place(const struct counters *page, const struct count_family_info *info, uint64_t key)
{
	size_t place = 0;

	for (; place < COUNT_PLACES - 1; place++) {
		uint64_t here = count_read(page, info->at + 2 * place);

		if (here == key || here == 0)
			break;
	}
	return place;
}

size_t count_sparse_cell(struct counters *page, enum count_family family,
			 const uint8_t values[static COUNT_LABELS_MAX])
{
	const struct count_family_info *info = &count_families[family];
	uint64_t key = pack(info, values);
	size_t place = find_place(page, info, key);
	size_t cell = info->at + 2 * place;

	if (place < COUNT_PLACES - 1)
		atomic_store_explicit(&page->cells[cell], key, memory_order_relaxed);
	return cell + 1;
}

bool count_sparse_place(const struct counters *page, enum count_family family, size_t place,
			uint8_t ret_values[static COUNT_LABELS_MAX], size_t *ret_cell)
{
	const struct count_family_info *info = &count_families[family];

	*ret_cell = info->at + 2 * place + 1;
	if (place < COUNT_PLACES - 1)
		return unpack(info, count_read(page, *ret_cell - 1), ret_values);
	memset(ret_values, COUNT_TABLE_OTHER, COUNT_LABELS_MAX);
	return true;
}
