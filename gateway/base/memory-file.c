/*
 * Makes files of memory (memfd_create(2)) in the one way that all hosts allow: some refuse those
 * that could be executed (vm.memfd_noexec), and kernels before 6.3 do not know the flag.
 */
#include "gateway/base/memory-file.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd == -1 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd == -1 ? -errno : fd;
}
