/* iptables' own matches and targets, written as statements of nft. */
#ifndef ATTLSD_GATEWAY_CTL_XT_DECODE_H
#define ATTLSD_GATEWAY_CTL_XT_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct json_t;

/*
 * The statements for one match or target ("match", "multiport"): a new array, or NULL
 * if it is not understood. `info` is its binary form of this revision, as the kernel
 * has it.
 */
struct json_t *xt_decode(const char *type, const char *name, unsigned revision, const uint8_t *info,
			 size_t len);

#endif
