/*
 * Forms the words in what attlsctl prints about a running attlsd. Names and
 * commands come from clients, so their texts are escaped for the terminal.
 */
#include "gateway/view/client-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"

/* Thousands of sessions have millions of characters, so no printf() for each. */
const char *client_text_shown(const char *text, char buf[static CLIENT_SHOWN_MAX])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0' && at + 5 <= CLIENT_SHOWN_MAX;
	     c++) {
		if (*c >= 0x20 && *c < 0x7f && *c != '\\') {
			buf[at++] = (char)*c;
			continue;
		}
		buf[at++] = '\\';
		buf[at++] = 'x';
		buf[at++] = digits[*c >> 4];
		buf[at++] = digits[*c & 15];
	}
	buf[at] = '\0';
	return buf;
}

const char *client_text_age(uint64_t ms, char buf[static CLIENT_AGE_MAX])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		(void)snprintf(buf, CLIENT_AGE_MAX, "%" PRIu64 "s", s);
	else if (s < 3600)
		(void)snprintf(buf, CLIENT_AGE_MAX, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(buf, CLIENT_AGE_MAX, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		(void)snprintf(buf, CLIENT_AGE_MAX, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

const char *client_text_ago(uint64_t then_s, uint64_t now_s, char buf[static CLIENT_AGE_MAX])
{
	return client_text_age(now_s > then_s ? (now_s - then_s) * 1000 : 0, buf);
}

const char *client_text_size(uint64_t bytes, char buf[static CLIENT_AGE_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(buf, CLIENT_AGE_MAX, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (value /= 1024; value >= 1024 && unit + 1 < NELEM(units); value /= 1024)
		unit++;
	(void)snprintf(buf, CLIENT_AGE_MAX, "%.1f %s", value, units[unit]);
	return buf;
}

/* A long name would push all other columns aside, so it is cut; JSON has it whole. */
#define NAME_WIDTH_MAX 24

const char *client_text_name(const char *text, char buf[static CLIENT_SHOWN_MAX])
{
	if (text[0] == '\0')
		return "-";
	(void)client_text_shown(text, buf);
	if (strlen(buf) > NAME_WIDTH_MAX)
		(void)snprintf(buf + NAME_WIDTH_MAX - 3, 4, "...");
	return buf;
}
