/*
 * Data connections as elements of an nftables set, for firewalls without
 * expectations. The set is the administrator's:
 *
 *   set data { type ipv4_addr . ipv4_addr . inet_service; flags timeout; }
 *
 * (source address, destination address, destination port), and a second set for
 * IPv6 whose name has a 6 appended.
 */
#ifndef ATTLSD_GATEWAY_HOST_NFTSET_H
#define ATTLSD_GATEWAY_HOST_NFTSET_H

#include "policy/ip.h"

/* How long an element stays in the set, in seconds: a data connection must come within this time. */
#define NFTSET_ELEMENT_S 60

struct nftset;

/* `name` is "family table set", as the policy has it. Returns 0, -EINVAL for another form, or
 * another negative errno. */
int nftset_open(const char *name, struct nftset **ret);
void nftset_close(struct nftset **nftset);

/*
 * Add an element for a minute, or take it out. Returns 0 or -EIO;
 * nftset_error() then has nft's words.
 */
int nftset_add(struct nftset *nftset, const struct ip_addr *from, const struct ip_endpoint *to);
int nftset_remove(struct nftset *nftset, const struct ip_addr *from, const struct ip_endpoint *to);
const char *nftset_error(const struct nftset *nftset);

#endif
