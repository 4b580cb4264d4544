/* What an attlsd has counted, as monitoring systems read it. */
#ifndef ATTLSD_GATEWAY_VIEW_METRICS_TEXT_H
#define ATTLSD_GATEWAY_VIEW_METRICS_TEXT_H

#include <stdio.h>

struct metrics; /* metrics.h */

enum metrics_format {
	METRICS_PROMETHEUS = 0, /* the text format 0.0.4 */
	METRICS_OPENMETRICS	/* OpenMetrics 1.0 */
};

/* The Content-Type of HTTP for each. */
#define METRICS_TYPE_PROMETHEUS	 "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

void metrics_print(const struct metrics *metrics, enum metrics_format format, FILE *out);

#endif
