/*
 * Which ways to a data connection work with a server. plan.c records results here
 * and asks which way to try next. A worker keeps one struct for each server and
 * clears old entries (gateway/worker/server-memory.c).
 */
#include "ftp-alg/ways.h"

void ftp_ways_forget(struct ftp_ways *ways, uint8_t mode)
{
	ways->worked &= (uint8_t)~mode;
	ways->refused &= (uint8_t)~mode;
	ways->failed &= (uint8_t)~mode;
	ways->fresh &= (uint8_t)~mode;
}

void ftp_ways_worked(struct ftp_ways *ways, uint8_t mode)
{
	ftp_ways_forget(ways, mode);
	ways->worked |= mode;
	ways->fresh |= mode;
}

void ftp_ways_failed(struct ftp_ways *ways, uint8_t mode)
{
	ftp_ways_forget(ways, mode);
	ways->failed |= mode;
	ways->fresh |= mode;
}

void ftp_ways_refused(struct ftp_ways *ways, uint8_t mode)
{
	if (ways->worked & mode)
		return;
	ftp_ways_forget(ways, mode);
	ways->refused |= mode;
	ways->fresh |= mode;
}

/*
 * All sessions share what is known, and a user whom the server refuses PASV is not
 * to take it from the others: where nothing better is left, a refused way counts as
 * much as one that fails.
 */
uint8_t ftp_ways_best(const struct ftp_ways *ways, uint8_t modes)
{
	uint8_t good = modes & (uint8_t) ~(ways->refused | ways->failed);

	return good != 0 ? good : modes;
}
