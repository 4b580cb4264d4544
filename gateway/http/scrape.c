/*
 * The counters as text, in the format that the scraper prefers (RFC 9110 12.5.1):
 * Prometheus lists OpenMetrics before its older format.
 */
#include "gateway/http/scrape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/view/metrics-text.h"

#define OPENMETRICS "application/openmetrics-text"

/* The weight of a media range, 0 to 1000. Without one, or with a bad one, it is 1000. */
static unsigned weight_of(const char *parameters, size_t len)
{
	for (size_t i = 0; i + 3 <= len; i++) {
		unsigned value, unit = 100;

		if (parameters[i] != ';')
			continue;
		i++;
		while (i < len && parameters[i] == ' ')
			i++;
		if (i + 3 > len || strncasecmp(parameters + i, "q=", 2) != 0)
			continue;
		if (parameters[i + 2] == '1')
			return 1000;
		value = 0;
		for (size_t at = i + 4;
		     at < len && unit > 0 && parameters[at] >= '0' && parameters[at] <= '9'; at++) {
			value += (unsigned)(parameters[at] - '0') * unit;
			unit /= 10;
		}
		return value;
	}
	return 1000;
}

/* Is this media range for the type, or for one of its groups? The more it says, the more it counts. */
static int fits(const char *range, size_t len, const char *type)
{
	size_t name = 0;
	const char *slash = strchr(type, '/');
	size_t group = (size_t)(slash - type) + 1;

	while (name < len && range[name] != ';' && range[name] != ' ')
		name++;
	if (name == strlen(type) && strncasecmp(range, type, name) == 0)
		return 3;
	if (name == group + 1 && strncasecmp(range, type, group) == 0 && range[group] == '*')
		return 2;
	return name == 3 && strncmp(range, "*/*", 3) == 0;
}

static unsigned weight_for(const char *accept, const char *type)
{
	unsigned weight = 0;
	int best = 0;

	for (const char *at = accept; *at != '\0';) {
		size_t len = strcspn(at, ",");
		size_t blanks = strspn(at, " \t");
		int fit = len > blanks ? fits(at + blanks, len - blanks, type) : 0;

		if (fit > best) {
			best = fit;
			weight = weight_of(at, len);
		}
		at += len + (at[len] == ',');
	}
	return weight;
}

bool scrape_prefers_openmetrics(const char *accept)
{
	return accept != NULL && strcasestr(accept, OPENMETRICS) != NULL &&
	       weight_for(accept, OPENMETRICS) > 0 &&
	       weight_for(accept, OPENMETRICS) >= weight_for(accept, "text/plain");
}

void scrape_answer(struct request *request, const struct asker_result *result)
{
	bool openmetrics = scrape_prefers_openmetrics(
	    MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct text text = { .bytes = NULL };
	FILE *out;

	if (result->metrics == NULL) {
		request_say(request, MHD_HTTP_SERVICE_UNAVAILABLE, "attlsd does not answer");
		return;
	}
	out = open_memstream(&text.bytes, &text.len);
	if (out != NULL)
		metrics_print(result->metrics, openmetrics ? METRICS_OPENMETRICS : METRICS_PROMETHEUS, out);
	text.failed = out == NULL || fclose(out) != 0;
	request_answer(request, MHD_HTTP_OK, openmetrics ? METRICS_TYPE_OPENMETRICS : METRICS_TYPE_PROMETHEUS,
		       &text);
	request_header(request, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
}
