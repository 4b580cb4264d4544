/*
 * The input is a value of the headers Host, Authorization and Accept. None is read beyond
 * its end, no foreign name is ours, and no other token is accepted.
 */
#include "gateway/http/access.h"
#include "gateway/http/scrape.h"

#include <strings.h>

#include "tests/fuzz/fuzz.h"

static const struct http_setup setup = { .nhosts = 1, .hosts = { "gate.example" } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct access access = { .setup = &setup, .token = "0123456789abcdef" };
	const struct ip_endpoint local = { { IP_V4, { 127, 0, 0, 1 } }, 8080 };
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (access_host_is_ours(&access, text, &local))
		assert(strncasecmp(text, "gate.example", 12) == 0 || strncasecmp(text, "localhost", 9) == 0 ||
		       strncmp(text, "127.0.0.1", 9) == 0);
	if (access_is_granted(&access, text))
		assert(strncasecmp(text, "Bearer ", 7) == 0 &&
		       strcmp(strrchr(text, ' '), " 0123456789abcdef") == 0);
	if (scrape_prefers_openmetrics(text))
		assert(strcasestr(text, "application/openmetrics-text") != NULL);
	free(text);
	return 0;
}
