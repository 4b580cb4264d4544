/*
 * Makes the memory of the charts. Its size is sealed: whoever else has the descriptor could
 * otherwise make it shorter, and the next look at it would be a SIGBUS.
 */
#include "gateway/base/chart-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/memory-file.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

_Static_assert(sizeof(struct chart_memory) == 24 + 8 * CHART_STEPS * CHART_ROWS, "no padding");

int chart_memory_make(void)
{
	int fd = memory_file("attlsd-charts");

	if (fd < 0)
		return fd;
	if (ftruncate(fd, sizeof(struct chart_memory)) == -1 || fcntl(fd, F_ADD_SEALS, SEALS) == -1) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

bool chart_memory_is(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals != -1 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 &&
	       st.st_size == sizeof(struct chart_memory);
}

struct chart_memory *chart_memory_map(int fd)
{
	void *memory = mmap(NULL, sizeof(struct chart_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}
