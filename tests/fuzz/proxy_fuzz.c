/*
 * The input is what a trusted load balancer sends first. However the bytes come
 * in, the verdict is the same, and what a header says can be said again.
 */
#include "gateway/net/proxy-header.h"

#include "tests/fuzz/fuzz.h"

static enum proxy_parse parse(const uint8_t *data, size_t len, struct proxy_header *ret)
{
	uint8_t *copy = fuzz_copy(data, len);
	const char *fault = NULL;
	enum proxy_parse result = proxy_header_parse(copy, len, ret, &fault);

	free(copy);
	assert((fault != NULL) == (result == PROXY_PARSE_BAD));
	assert(result != PROXY_PARSE_MORE || len < PROXY_HEADER_MAX);
	return result;
}

static void check_again(const struct proxy_header *header)
{
	struct proxy_facts facts = { .tls = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256", .alpn = "ftp" };
	uint8_t bytes[PROXY_HEADER_MAX];
	struct proxy_header again;
	size_t len;

	for (int version = 1; version <= 2; version++) {
		len = version == 1 ? proxy_header_v1(&header->source, &header->destination, bytes)
				   : proxy_header_v2(&header->source, &header->destination, &facts, bytes);
		assert(version == 2 || len <= PROXY_V1_MAX);
		assert(parse(bytes, len, &again) == PROXY_PARSE_OK);
		assert(again.consumed == len && !again.own);
		assert(ip_endpoint_equal(&again.source, &header->source));
		assert(ip_endpoint_equal(&again.destination, &header->destination));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header, whole;
	enum proxy_parse result = PROXY_PARSE_MORE;
	size_t len = 0;

	for (; len < size && result == PROXY_PARSE_MORE; len += fuzz_step(len))
		result = parse(data, len, &header);
	if (result == PROXY_PARSE_MORE)
		result = parse(data, size, &header);
	assert(parse(data, size, &whole) == result);
	if (result != PROXY_PARSE_OK)
		return 0;
	assert(whole.consumed == header.consumed && whole.consumed <= size);
	assert(whole.consumed <= PROXY_HEADER_MAX);
	assert(parse(data, whole.consumed, &header) == PROXY_PARSE_OK);
	assert(parse(data, whole.consumed - 1, &header) == PROXY_PARSE_MORE);
	assert(whole.own == (whole.source.addr.family == IP_NONE));
	if (!whole.own)
		check_again(&whole);
	return 0;
}
