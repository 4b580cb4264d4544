/* Which format a scraper prefers. The first rows are what Prometheus 2 and 3 and browsers send. */
#include "gateway/http/scrape.h"

#include "tests/unit/unit.h"

static void formats(void **state)
{
	static const struct {
		const char *accept;
		bool openmetrics;
	} rows[] = {
		{ "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
		  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		  true },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.1",
		  true },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "text/plain;q=0.9, application/openmetrics-text;q=0.8", false },
		{ "text/*;q=0.9, application/openmetrics-text;q=0.8", false },
		{ "text/*;q=0.1, application/openmetrics-text ; q=0.8", true },
		{ "APPLICATION/OpenMetrics-Text", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=0.000, */*", false },
		{ "application/openmetrics-textual", false },
		{ "application/*", false },
		{ "application/openmetrics-text;q=", true },
		{ "application/openmetrics-text;", true },
		{ ",,;q=1,application/openmetrics-text", true },
		{ "", false },
		{ NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (scrape_prefers_openmetrics(rows[i].accept) != rows[i].openmetrics)
			fail_msg("Accept: %s", rows[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(formats) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
