/*
 * Counts what a worker has used in the running second. The counts outlive the signer: a worker can end
 * its signer, and the next one would otherwise begin with a whole second's worth.
 */
#include "gateway/keeper/quota.h"

bool quota_take(struct key_counts *counts, uint32_t per_second, uint64_t now_ms)
{
	uint64_t second = now_ms / 1000;

	if (second != counts->quota_second) {
		counts->quota_second = second;
		counts->quota_used = 0;
	}
	if (counts->quota_used >= per_second)
		return false;
	counts->quota_used++;
	return true;
}
