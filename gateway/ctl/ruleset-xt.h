/*
 * Rules of iptables that the kernel keeps for nftables (iptables-nft). Of iptables' own
 * matches and targets, nft's JSON has only the names.
 */
#ifndef ATTLSD_GATEWAY_CTL_RULESET_XT_H
#define ATTLSD_GATEWAY_CTL_RULESET_XT_H

struct json_t;

/*
 * Replace each match and target in `items`, the array of nft's objects, by statements
 * of nft with the same meaning. Asks the kernel; what it does not say, or what is not
 * understood, stays as it is.
 */
void ruleset_xt_replace(struct json_t *items);

#endif
