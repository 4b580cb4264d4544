/*
 * Shared pages. A child under an attacker's control must not find those of other
 * children, so the kernel keeps them out of a fork (MADV_DONTFORK).
 */
#include "gateway/base/shared.h"

#include <errno.h>
#include <sys/mman.h>

void *shared_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, size, MADV_DONTFORK) == 0)
		return memory;
	(void)munmap(memory, size);
	return NULL;
}

void shared_unmap(void *memory, size_t size)
{
	if (memory != NULL)
		(void)munmap(memory, size);
}

int shared_lend(void *memory, size_t size, bool lend)
{
	return madvise(memory, size, lend ? MADV_DOFORK : MADV_DONTFORK) == 0 ? 0 : -errno;
}
