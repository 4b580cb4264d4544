/*
 * The input is a file to import; its first byte says of which kind. Whatever it holds: either there are
 * faults that can be printed, or a policy that has none but its limits, and every statement has a fate.
 */
#include "gateway/import/import-zos.h"
#include "gateway/import/proftpd.h"
#include "gateway/import/vsftpd.h"
#include "gateway/import/write-policy.h"
#include "gateway/import/write-report.h"

#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static void check_text(struct draft *draft, bool report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert(out != NULL);
	if (report)
		write_report(draft, "", out);
	else
		write_policy(draft, "", out);
	assert(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		assert((uint8_t)text[i] >= ' ' || text[i] == '\n');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draft draft = { 0 };
	struct source source;
	unsigned kind = size > 0 ? data[0] % 4 : 0;
	uint8_t *copy = fuzz_copy(data + (size > 0), size - (size > 0));
	int r;

	assert(source_take("file", copy, size - (size > 0), &source) == 0);
	free(copy); /* nothing may point into it any more */
	if (kind == 0)
		r = import_zos(&draft, &source, 1, NULL, 0, NULL);
	else if (kind == 1)
		r = import_zos(&draft, NULL, 0, &source, 1, NULL);
	else
		r = (kind == 2 ? import_vsftpd : import_proftpd)(&draft, &source, NULL);
	assert(r == 0 || source.diags.nerrors > 0);
	if (r == 0) {
		check_text(&draft, false);
		check_text(&draft, true);
	}
	draft_done(&draft);
	source_done(&source);
	return 0;
}
