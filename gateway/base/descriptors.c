/*
 * Puts the descriptors that a new process needs into one row, so that close_range()
 * can close everything else of the parent's.
 */
#include "gateway/base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"

int descriptors_keep(const int *fds, size_t n)
{
	int first_free = DESCRIPTORS_FIRST + (int)n;
	int *spares = calloc(n + 1, sizeof(*spares));
	int r = spares == NULL ? -ENOMEM : 0;

	/* first all out of the way, since a number may be another's place */
	for (size_t i = 0; r == 0 && i < n; i++) {
		spares[i] = fds[i] == -1 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, first_free);
		if (spares[i] == -1 && fds[i] != -1)
			r = -errno;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		int place = DESCRIPTORS_FIRST + (int)i;

		if (spares[i] == -1)
			fd_close(&place);
		else if (dup3(spares[i], place, O_CLOEXEC) == -1)
			r = -errno;
	}
	free(spares);
	if (r == 0)
		log_reopen_after(first_free - 1);
	return r;
}
