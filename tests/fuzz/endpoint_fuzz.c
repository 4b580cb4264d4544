/*
 * The input is the argument of PORT and EPRT and the text of 227 and 229, each
 * in turn. What is parsed and formatted must parse to the same value.
 */
#include "ftp-alg/endpoint.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"

typedef int parse_fn(const char *text, size_t len, struct ip_endpoint *ret_endpoint);
typedef const char *format_fn(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX]);

static const struct form {
	parse_fn *parse;
	format_fn *format;
	const char *before; /* what the formatted text has before what is parsed */
	bool may_be_v6;
} forms[] = {
	{ ftp_port_parse, ftp_port_format, "PORT ", false },
	{ ftp_eprt_parse, ftp_eprt_format, "EPRT ", true },
	{ ftp_227_parse, ftp_227_format, "227 ", false },
};

static void check_round_trip(const struct form *form, const struct ip_endpoint *ep)
{
	char buf[FTP_ENDPOINT_TEXT_MAX];
	struct ip_endpoint again;
	size_t before = strlen(form->before);

	assert(form->format(ep, buf) == buf);
	assert(strncmp(buf, form->before, before) == 0);
	assert(form->parse(buf + before, strlen(buf + before), &again) == 0);
	assert(ip_endpoint_equal(ep, &again));
}

static void check_form(const struct form *form, const char *text, size_t len)
{
	struct ip_endpoint untouched, ep;
	int r;

	memset(&untouched, 0xA5, sizeof(untouched));
	ep = untouched;
	r = form->parse(text, len, &ep);
	if (r != 0) {
		assert(r == -EINVAL || (r == -EAFNOSUPPORT && form->may_be_v6));
		assert(memcmp(&ep, &untouched, sizeof(ep)) == 0);
		return;
	}
	assert(ep.addr.family == IP_V4 || (ep.addr.family == IP_V6 && form->may_be_v6));
	check_round_trip(form, &ep);
	if (ep.addr.family == IP_V4)
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			check_round_trip(&forms[i], &ep);
}

static void check_229(const char *text, size_t len)
{
	char buf[FTP_ENDPOINT_TEXT_MAX];
	uint16_t port = 0, again = 0;
	int r = ftp_229_parse(text, len, &port);

	if (r != 0) {
		assert(r == -EINVAL && port == 0);
		return;
	}
	assert(port != 0);
	ftp_229_format(port, buf);
	assert(ftp_229_parse(buf, strlen(buf), &again) == 0);
	assert(again == port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *text = fuzz_copy(data, size);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i], (const char *)text, size);
	check_229((const char *)text, size);
	free(text);
	return 0;
}
