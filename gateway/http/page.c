/*
 * The files of the page (page-files.def), which the assembler puts into the program: it
 * opens none when it runs.
 */
#include "gateway/http/page.h"

#include <string.h>

#include "gateway/base/util.h"

/* As bytes, with a label at each end. */
#define PAGE_FILE(name, url, path, type)                                                                     \
	__asm__(".pushsection .rodata\npage_" #name "_start:\n.incbin \"" path "\"\npage_" #name             \
		"_end:\n.byte 0\n.popsection\n");                                                            \
	extern const char page_##name##_start[], page_##name##_end[];
#include "gateway/http/page-files.def"
#undef PAGE_FILE

static const struct {
	const char *url, *type, *start, *end;
} files[] = {
#define PAGE_FILE(name, url, path, type) { url, type, page_##name##_start, page_##name##_end },
#include "gateway/http/page-files.def"
#undef PAGE_FILE
};

bool page_find(const char *path, struct page_file *ret)
{
	for (size_t i = 0; i < NELEM(files); i++) {
		if (strcmp(files[i].url, path) != 0)
			continue;
		*ret = (struct page_file){ files[i].type, files[i].start,
					   (size_t)(files[i].end - files[i].start) };
		return true;
	}
	return false;
}
