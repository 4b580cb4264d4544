/*
 * The syntax of single values: numbers, durations, ports, endpoints, names. It
 * knows neither keys nor messages; field.c and walk.c do.
 */
#include "policy/value.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "policy/nelem.h"

#define PORT_MAX      65535
#define HOST_NAME_LEN 253 /* RFC 1035 2.3.4, without the root's dot */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int value_uint(const char *text, size_t len, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (len == 0 || (text[0] == '0' && len > 1))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -ERANGE;
	*ret_value = value;
	return 0;
}

int value_bool(const char *text, size_t len, bool *ret_value)
{
	if (len == strlen("true") && strncasecmp(text, "true", len) == 0)
		*ret_value = true;
	else if (len == strlen("false") && strncasecmp(text, "false", len) == 0)
		*ret_value = false;
	else
		return -EINVAL;
	return 0;
}

int value_duration(const char *text, size_t len, uint64_t bare_unit_ms, uint64_t *ret_ms)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	uint64_t unit = bare_unit_ms;
	size_t digits = 0;
	uint64_t value;
	int r;

	while (digits < len && is_digit(text[digits]))
		digits++;
	if (digits < len) {
		unit = 0;
		for (size_t i = 0; i < NELEM(units); i++)
			if (len - digits == strlen(units[i].suffix) &&
			    memcmp(text + digits, units[i].suffix, len - digits) == 0)
				unit = units[i].ms;
		if (unit == 0)
			return -EINVAL;
	}
	r = value_uint(text, digits, &value);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	*ret_ms = value;
	return 0;
}

/* 1..65535, or 0 if zero_ok. */
static int parse_port(const char *text, size_t len, bool zero_ok, uint16_t *ret_port)
{
	uint64_t value;
	int r = value_uint(text, len, &value);

	if (r < 0)
		return r;
	if (value > PORT_MAX || (value == 0 && !zero_ok))
		return -ERANGE;
	*ret_port = (uint16_t)value;
	return 0;
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && **text == ' ') {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && (*text)[*len - 1] == ' ')
		(*len)--;
}

int value_port_range(const char *text, size_t len, struct port_range *ret_range)
{
	bool bracketed = len >= 2 && text[0] == '(' && text[len - 1] == ')';
	struct port_range range;
	const char *separator;
	const char *high;
	size_t low_len, high_len;
	int r;

	if (bracketed) {
		text++;
		len -= 2;
	}
	separator = len > 0 ? memchr(text, bracketed ? ',' : '-', len) : NULL;
	if (separator == NULL)
		return -EINVAL;
	low_len = (size_t)(separator - text);
	high = separator + 1;
	high_len = len - low_len - 1;
	trim(&text, &low_len);
	trim(&high, &high_len);
	r = parse_port(text, low_len, false, &range.low);
	if (r < 0)
		return r;
	r = parse_port(high, high_len, false, &range.high);
	if (r < 0)
		return r;
	if (range.low > range.high)
		return -ERANGE;
	*ret_range = range;
	return 0;
}

/* Split at the last colon and remove the brackets, which an IPv6 address must have. */
static int split_host(const char *text, size_t len, const char **ret_host, size_t *ret_host_len, bool *ret_v6,
		      uint16_t *ret_port)
{
	const char *colon = len > 0 ? memrchr(text, ':', len) : NULL;
	size_t host_len = colon != NULL ? (size_t)(colon - text) : 0;
	bool v6 = host_len > 2 && text[0] == '[' && text[host_len - 1] == ']';
	int r;

	if (host_len == 0)
		return -EINVAL;
	r = parse_port(colon + 1, len - host_len - 1, true, ret_port);
	if (r < 0)
		return r;
	*ret_v6 = v6;
	*ret_host = v6 ? text + 1 : text;
	*ret_host_len = v6 ? host_len - 2 : host_len;
	return 0;
}

/* RFC 1123 2.1, and '_', which real names contain. Only digits and dots would be a mistyped address. */
bool value_is_host(const char *text, size_t len)
{
	bool letter = false;

	if (len == 0 || len > HOST_NAME_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i == len - 1 || text[i - 1] == '.' || text[i + 1] == '.';

		if (!is_alnum(text[i]) && text[i] != '_' && (edge || (text[i] != '-' && text[i] != '.')))
			return false;
		letter = letter || (!is_digit(text[i]) && text[i] != '.');
	}
	return letter;
}

int value_host_port(const char *text, size_t len, const char **ret_host, size_t *ret_host_len,
		    struct ip_endpoint *ret_endpoint)
{
	struct ip_endpoint endpoint = { .addr.family = IP_NONE };
	const char *host;
	size_t host_len;
	bool v6;
	int r;

	r = split_host(text, len, &host, &host_len, &v6, &endpoint.port);
	if (r < 0)
		return r;
	/* "::1:21" would be ambiguous, so a colon needs brackets and brackets need a colon */
	if ((memchr(host, ':', host_len) != NULL) != v6)
		return -EINVAL;
	r = ip_addr_parse(host, host_len, &endpoint.addr);
	if (r < 0 && (v6 || !value_is_host(host, host_len)))
		return -EINVAL;
	*ret_host = host;
	*ret_host_len = host_len;
	*ret_endpoint = endpoint;
	return 0;
}

int value_bare_host(const char *text, size_t len, const char **ret_host, size_t *ret_host_len,
		    struct ip_addr *ret_addr)
{
	bool v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
	const char *host = v6 ? text + 1 : text;
	size_t host_len = v6 ? len - 2 : len;
	struct ip_addr addr = { .family = IP_NONE };

	if (host_len == 0 || (memchr(host, ':', host_len) != NULL) != v6)
		return -EINVAL;
	if (ip_addr_parse(host, host_len, &addr) < 0 && (v6 || !value_is_host(host, host_len)))
		return -EINVAL;
	*ret_host = host;
	*ret_host_len = host_len;
	*ret_addr = addr;
	return 0;
}

int value_endpoint(const char *text, size_t len, struct ip_endpoint *ret_endpoint)
{
	struct ip_endpoint endpoint;
	const char *host;
	size_t host_len;
	int r = value_host_port(text, len, &host, &host_len, &endpoint);

	if (r < 0)
		return r;
	if (endpoint.addr.family == IP_NONE)
		return -EINVAL;
	*ret_endpoint = endpoint;
	return 0;
}

bool value_is_name(const char *text, size_t len)
{
	return value_is_long_name(text, len, VALUE_NAME_MAX);
}

bool value_is_long_name(const char *text, size_t len, size_t max)
{
	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && memchr("_.-", text[i], 3) == NULL)
			return false;
	return true;
}
