/*
 * Prints numbers in the text format of Prometheus or as OpenMetrics, which differ in
 * the names of counters, in units, in _created and in the end mark.
 *
 * A family whose values are few is printed whole, so that a rate has a first value to
 * begin with; of the others, the values that are not 0.
 */
#include "gateway/view/metrics-text.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/view/metrics.h"

#define PREFIX "attlsd"
/* A family with more combinations (the names of the policy count once) is printed without its zeros. */
#define WHOLE_MAX 64
#define US_PER_S  1000000

struct printer {
	const struct metrics *metrics;
	const struct count_family_info *family;
	bool openmetrics;
	FILE *out;
};

/* The values of the labels of one sample. */
struct sample {
	size_t values[COUNT_LABELS_MAX];
};

static const char *const types[] = {
	[COUNT_TYPE_COUNTER] = "counter",     [COUNT_TYPE_GAUGE] = "gauge",    [COUNT_TYPE_STATE] = "gauge",
	[COUNT_TYPE_FACT] = "gauge",	      [COUNT_TYPE_TIME] = "gauge",     [COUNT_TYPE_INFO] = "gauge",
	[COUNT_TYPE_HISTOGRAM] = "histogram", [COUNT_TYPE_SPARSE] = "counter", [COUNT_TYPE_MAYBE] = "gauge",
};

static bool is_counter(const struct count_family_info *family)
{
	return family->type == COUNT_TYPE_COUNTER || family->type == COUNT_TYPE_SPARSE;
}

/*
 * OpenMetrics has a type for COUNT_TYPE_STATE as well, but with another label, so that alerts would
 * depend on the format.
 */
static const char *type_of(const struct printer *printer)
{
	return printer->openmetrics && printer->family->type == COUNT_TYPE_INFO
		   ? "info"
		   : types[printer->family->type];
}

/* The name of the family, which in the older format is that of its samples. */
static void put_name(const struct printer *printer)
{
	const struct count_family_info *family = printer->family;

	(void)fprintf(printer->out, "%s%s%s", PREFIX, family->name[0] != '\0' ? "_" : "", family->name);
	if (family->unit[0] != '\0')
		(void)fprintf(printer->out, "_%s", family->unit);
}

static void put_family_name(const struct printer *printer)
{
	put_name(printer);
	if (printer->openmetrics)
		return;
	if (is_counter(printer->family))
		(void)fputs("_total", printer->out);
	else if (printer->family->type == COUNT_TYPE_INFO)
		(void)fputs("_info", printer->out);
}

static void put_head(const struct printer *printer)
{
	(void)fputs("# HELP ", printer->out);
	put_family_name(printer);
	(void)fprintf(printer->out, " %s\n# TYPE ", printer->family->help);
	put_family_name(printer);
	(void)fprintf(printer->out, " %s\n", type_of(printer));
	if (!printer->openmetrics || printer->family->unit[0] == '\0')
		return;
	(void)fputs("# UNIT ", printer->out);
	put_family_name(printer);
	(void)fprintf(printer->out, " %s\n", printer->family->unit);
}

static void put_label(const struct printer *printer, unsigned *n, const char *name, const char *value)
{
	(void)fprintf(printer->out, "%s%s=\"", (*n)++ == 0 ? "{" : ",", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			(void)fputc('\\', printer->out);
		if (*value == '\n')
			(void)fputs("\\n", printer->out);
		else
			(void)fputc(*value, printer->out);
	}
	(void)fputc('"', printer->out);
}

/* A name of the policy, perhaps with a second one. */
static void put_names(const struct printer *printer, unsigned *n, enum count_label label, size_t place)
{
	const struct answer_name *name;
	const char *second = count_label_name(label, true);
	enum count_kind kind;

	(void)count_is_names(label, &kind);
	name = &printer->metrics->names[kind][place];
	put_label(printer, n, count_label_name(label, false),
		  place == COUNT_NAMES_OTHER ? "other" : name->first);
	if (second[0] != '\0')
		put_label(printer, n, second, place == COUNT_NAMES_OTHER ? "other" : name->second);
}

static void put_labels(const struct printer *printer, const struct sample *sample, const char *le)
{
	const struct count_family_info *family = printer->family;
	unsigned n = 0;
	enum count_kind kind;

	if (family == &count_families[COUNT_BUILD]) {
		put_label(printer, &n, "version", printer->metrics->gateway.version);
	} else if (family == &count_families[COUNT_NODE]) {
		put_label(printer, &n, "node", printer->metrics->gateway.node);
		put_label(printer, &n, "policy_sha256", printer->metrics->gateway.sha256);
	}
	for (size_t i = 0; i < COUNT_LABELS_MAX && family->labels[i] != COUNT_LABEL_NONE; i++) {
		enum count_label label = family->labels[i];
		const char *text = count_value_text(label, sample->values[i]);

		if (count_is_names(label, &kind))
			put_names(printer, &n, label, sample->values[i]);
		else
			put_label(printer, &n, count_label_name(label, false), text != NULL ? text : "other");
	}
	if (le != NULL)
		put_label(printer, &n, "le", le);
	(void)fputs(n > 0 ? "} " : " ", printer->out);
}

static void put_sample(const struct printer *printer, const char *suffix, const struct sample *sample,
		       const char *le)
{
	put_name(printer);
	(void)fputs(suffix, printer->out);
	put_labels(printer, sample, le);
}

/* When counting began: with it, a reader tells a restart from a value that was always small. */
static void put_created(const struct printer *printer, const struct sample *sample)
{
	if (!printer->openmetrics)
		return;
	put_sample(printer, "_created", sample, NULL);
	(void)fprintf(printer->out, "%" PRIu64 "\n",
		      count_read(&printer->metrics->values, COUNT_AT_START_TIME));
}

static void put_one(const struct printer *printer, const struct sample *sample, uint64_t value)
{
	const char *suffix = is_counter(printer->family)		? "_total"
			     : printer->family->type == COUNT_TYPE_INFO ? "_info"
									: "";

	put_sample(printer, suffix, sample, NULL);
	(void)fprintf(printer->out, "%" PRIu64 "\n", value);
	if (is_counter(printer->family))
		put_created(printer, sample);
}

static bool is_in_seconds(const struct count_family_info *family)
{
	return strcmp(family->unit, "seconds") == 0;
}

/* A bound of a histogram as OpenMetrics wants it: with a point, and without zeros at its end. */
static void bound_text(const struct count_family_info *family, uint64_t bound, char *text, size_t size)
{
	size_t len;

	if (!is_in_seconds(family)) {
		(void)snprintf(text, size, "%" PRIu64 ".0", bound);
		return;
	}
	(void)snprintf(text, size, "%" PRIu64 ".%06" PRIu64, bound / US_PER_S, bound % US_PER_S);
	for (len = strlen(text); text[len - 1] == '0' && text[len - 2] != '.'; len--)
		text[len - 1] = '\0';
}

static uint64_t add_up(uint64_t sum, uint64_t value)
{
	return value < (uint64_t)INT64_MAX - sum ? sum + value : (uint64_t)INT64_MAX;
}

/* at: its first number. */
static void put_histogram(const struct printer *printer, const struct sample *sample, size_t at)
{
	const struct count_family_info *family = printer->family;
	const struct counters *values = &printer->metrics->values;
	uint64_t so_far = 0, sum = count_read(values, at + family->nbounds + 1);
	char text[48];

	for (size_t i = 0; i < family->nbounds; i++) {
		bound_text(family, family->bounds[i], text, sizeof(text));
		so_far = add_up(so_far, count_read(values, at + i));
		put_sample(printer, "_bucket", sample, text);
		(void)fprintf(printer->out, "%" PRIu64 "\n", so_far);
	}
	so_far = add_up(so_far, count_read(values, at + family->nbounds));
	put_sample(printer, "_bucket", sample, "+Inf");
	(void)fprintf(printer->out, "%" PRIu64 "\n", so_far);
	put_sample(printer, "_count", sample, NULL);
	(void)fprintf(printer->out, "%" PRIu64 "\n", so_far);
	put_sample(printer, "_sum", sample, NULL);
	if (is_in_seconds(family))
		(void)fprintf(printer->out, "%" PRIu64 ".%06" PRIu64 "\n", sum / US_PER_S, sum % US_PER_S);
	else
		(void)fprintf(printer->out, "%" PRIu64 "\n", sum);
	put_created(printer, sample);
}

static void put_sparse(const struct printer *printer)
{
	enum count_family family = (enum count_family)(printer->family - count_families);
	uint8_t values[COUNT_LABELS_MAX];
	struct sample sample;
	size_t cell;

	for (size_t place = 0; place < COUNT_PLACES; place++) {
		if (!count_sparse_place(&printer->metrics->values, family, place, values, &cell) ||
		    count_read(&printer->metrics->values, cell) == 0)
			continue;
		for (size_t i = 0; i < COUNT_LABELS_MAX; i++)
			sample.values[i] = values[i];
		put_one(printer, &sample, count_read(&printer->metrics->values, cell));
	}
}

/* How many combinations it has, those of one name if it has names. */
static size_t combinations(const struct count_family_info *family)
{
	enum count_kind kind;
	size_t n = 1;

	for (size_t i = 0; i < COUNT_LABELS_MAX; i++)
		if (!count_is_names(family->labels[i], &kind))
			n *= count_values(family->labels[i]);
	return n;
}

/* Is there such a name? Counts for "other" only if it has counted. */
static bool is_known(const struct printer *printer, size_t place, bool counted)
{
	enum count_kind kind;

	if (!count_is_names(printer->family->labels[0], &kind))
		return true;
	return place == COUNT_NAMES_OTHER ? counted : printer->metrics->names[kind][place].first[0] != '\0';
}

static bool has_counted(const struct counters *values, size_t at, size_t width)
{
	bool any = false;

	for (size_t i = 0; i < width; i++)
		any = any || count_read(values, at + i) != 0;
	return any;
}

/* All combinations of labels, each of which has `width` numbers. */
static void put_all(const struct printer *printer, size_t width)
{
	const struct count_family_info *family = printer->family;
	bool whole = combinations(family) <= WHOLE_MAX && family->type != COUNT_TYPE_TIME &&
		     family->type != COUNT_TYPE_MAYBE;

	for (size_t index = 0; index < family->cells / width; index++) {
		size_t at = family->at + index * width, rest = index;
		bool counted = has_counted(&printer->metrics->values, at, width);
		struct sample sample = { { 0 } };

		for (size_t i = COUNT_LABELS_MAX; i > 0; i--) {
			sample.values[i - 1] = rest % count_values(family->labels[i - 1]);
			rest /= count_values(family->labels[i - 1]);
		}
		if (!is_known(printer, sample.values[0], counted) || (!whole && !counted))
			continue;
		if (family->type == COUNT_TYPE_HISTOGRAM)
			put_histogram(printer, &sample, at);
		else
			put_one(printer, &sample,
				count_meaning(family, count_read(&printer->metrics->values, at)));
	}
}

void metrics_print(const struct metrics *metrics, enum metrics_format format, FILE *out)
{
	struct printer printer = { .metrics = metrics,
				   .openmetrics = format == METRICS_OPENMETRICS,
				   .out = out };

	for (size_t i = 0; i < COUNT_FAMILIES; i++) {
		printer.family = &count_families[i];
		put_head(&printer);
		if (printer.family->type == COUNT_TYPE_SPARSE)
			put_sparse(&printer);
		else
			put_all(&printer, printer.family->type == COUNT_TYPE_HISTOGRAM
					      ? printer.family->nbounds + 2
					      : 1);
	}
	if (printer.openmetrics)
		(void)fputs("# EOF\n", out);
}
