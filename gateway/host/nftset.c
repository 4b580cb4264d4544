/*
 * Adds and removes elements of the administrator's nftables sets through
 * libnftables, for the monitor. Names come from the policy and are checked before
 * they become part of a command.
 */
#include "gateway/host/nftset.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/host/nfnetlink.h"

#define TEXT_OF(number) #number
#define SECONDS(number) TEXT_OF(number) "s"
#define NAME_MAX_BYTES	97

struct nftset {
	struct nft_ctx *nft;
	char name[NAME_MAX_BYTES];
};

/* Three words of letters, digits and _-. and nothing else: it becomes part of a command. */
static int check_name(const char *name)
{
	size_t blanks = 0;

	for (const char *c = name; *c != '\0'; c++) {
		if (*c == ' ')
			blanks++;
		else if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", *c) ==
			 NULL)
			return -EINVAL;
	}
	return blanks == 2 && strlen(name) < NAME_MAX_BYTES ? 0 : -EINVAL;
}

int nftset_open(const char *name, struct nftset **ret)
{
	struct nftset *nftset;
	int r;

	if (check_name(name) < 0)
		return -EINVAL;
	r = nfnetlink_probe();
	if (r < 0)
		return r;
	nftset = calloc(1, sizeof(*nftset));
	if (nftset == NULL)
		return -ENOMEM;
	memcpy(nftset->name, name, strlen(name));
	nftset->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (nftset->nft == NULL || nft_ctx_buffer_error(nftset->nft) != 0 ||
	    nft_ctx_buffer_output(nftset->nft) != 0) {
		nftset_close(&nftset);
		return -ENOMEM;
	}
	*ret = nftset;
	return 0;
}

void nftset_close(struct nftset **nftset)
{
	if (*nftset == NULL)
		return;
	if ((*nftset)->nft != NULL)
		nft_ctx_free((*nftset)->nft);
	free(*nftset);
	*nftset = NULL;
}

static int run(struct nftset *nftset, const char *verb, const char *timeout, const struct ip_addr *from,
	       const struct ip_endpoint *to)
{
	char from_text[IP_TEXT_MAX], to_text[IP_TEXT_MAX];
	char command[512];
	int n = snprintf(command, sizeof(command), "%s element %s%s { %s . %s . %u%s }", verb, nftset->name,
			 from->family == IP_V6 ? "6" : "", ip_addr_format(from, from_text),
			 ip_addr_format(&to->addr, to_text), to->port, timeout);

	if (n < 0 || (size_t)n >= sizeof(command))
		return -EIO;
	return nft_run_cmd_from_buffer(nftset->nft, command) == 0 ? 0 : -EIO;
}

int nftset_add(struct nftset *nftset, const struct ip_addr *from, const struct ip_endpoint *to)
{
	return run(nftset, "add", " timeout " SECONDS(NFTSET_ELEMENT_S), from, to);
}

int nftset_remove(struct nftset *nftset, const struct ip_addr *from, const struct ip_endpoint *to)
{
	return run(nftset, "delete", "", from, to);
}

const char *nftset_error(const struct nftset *nftset)
{
	return nft_ctx_get_error_buffer(nftset->nft);
}
