/*
 * The input is one line of a server's FEAT list. Blanks before it, parameters
 * after it and its case change nothing.
 */
#include "ftp-alg/feat.h"

#include "tests/fuzz/fuzz.h"

static bool keep_copy(const uint8_t *line, size_t len)
{
	uint8_t *copy = fuzz_copy(line, len);
	bool keep = ftp_feat_keep((const char *)copy, len);

	free(copy);
	return keep;
}

static void check_lines(unsigned features)
{
	size_t n = 0;

	for (const char *line; (line = ftp_feat_line(features, n)) != NULL; n++) {
		assert(line[0] == ' ' && line[1] != ' ');
		/* the server's HOST passes unless a server_map answers it */
		assert(!ftp_feat_keep(line, strlen(line)) || strcmp(line, " HOST") == 0);
	}
	assert(n == (size_t)__builtin_popcount(features & FTP_FEAT_ALL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool keep = keep_copy(data, size);
	uint8_t *line = malloc(size + 2);

	assert(line != NULL);
	line[0] = ' ';
	for (size_t i = 0; i < size; i++)
		line[1 + i] = data[i] >= 'a' && data[i] <= 'z' ? data[i] & 0xDF : data[i];
	line[1 + size] = ' ';
	assert(keep_copy(line, size + 2) == keep);
	free(line);

	check_lines(size > 0 ? data[0] : 0);
	return 0;
}
