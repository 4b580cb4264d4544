/*
 * Counts what a worker has used in the running second.
 */
#include "gateway/keeper/quota.h"

bool quota_take(struct quota *quota, uint64_t now_ms)
{
	uint64_t second = now_ms / 1000;

	if (second != quota->second)
		*quota = (struct quota){ .per_second = quota->per_second, .second = second };
	if (quota->used == quota->per_second)
		return false;
	quota->used++;
	return true;
}
