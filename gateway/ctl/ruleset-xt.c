/*
 * Asks the kernel for the binary form of iptables' matches and targets, rule by rule,
 * since libnftables does not pass it on, and puts their meaning into the rules.
 */
#include "gateway/ctl/ruleset-xt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/util.h"
#include "gateway/ctl/xt-decode.h"

#define ANSWER_MAX (256 * 1024) /* the kernel writes less than that at once */

/* Attributes of netlink: a part of a message. */
struct part {
	const uint8_t *bytes;
	size_t len;
};

/* Cut off the first attribute. False: there is none. */
static bool take_attribute(struct part *from, unsigned *ret_type, struct part *ret)
{
	struct nlattr head;
	size_t whole;

	if (from->len < sizeof(head))
		return false;
	memcpy(&head, from->bytes, sizeof(head));
	if (head.nla_len < sizeof(head) || head.nla_len > from->len)
		return false;
	*ret_type = head.nla_type & NLA_TYPE_MASK;
	*ret = (struct part){ from->bytes + sizeof(head), head.nla_len - sizeof(head) };
	whole = (size_t)NLA_ALIGN(head.nla_len) < from->len ? (size_t)NLA_ALIGN(head.nla_len) : from->len;
	from->bytes += whole;
	from->len -= whole;
	return true;
}

/* The attribute of this type; empty if there is none. */
static struct part find(struct part from, unsigned wanted)
{
	struct part found;
	unsigned type;

	while (take_attribute(&from, &type, &found))
		if (type == wanted)
			return found;
	return (struct part){ NULL, 0 };
}

/* A text with its NUL; "" if it has none. */
static const char *text_in(struct part part)
{
	return part.len > 0 && memchr(part.bytes, '\0', part.len) != NULL ? (const char *)part.bytes : "";
}

static uint64_t number_in(struct part part)
{
	uint64_t value = 0;

	for (size_t i = 0; i < part.len; i++)
		value = value << 8 | part.bytes[i];
	return value;
}

static const char *word_of(unsigned family)
{
	static const struct {
		unsigned family;
		const char *word;
	} words[] = { { NFPROTO_IPV4, "ip" },
		      { NFPROTO_IPV6, "ip6" },
		      { NFPROTO_INET, "inet" },
		      { NFPROTO_NETDEV, "netdev" } };

	for (size_t i = 0; i < NELEM(words); i++)
		if (words[i].family == family)
			return words[i].word;
	return "";
}

static bool has_text(const json_t *object, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(object, key));

	return got != NULL && strcmp(got, want) == 0;
}

static json_t *find_rule(json_t *items, const char *family, const char *table, uint64_t handle)
{
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		json_t *rule = json_object_get(item, "rule");

		if (rule != NULL && has_text(rule, "family", family) && has_text(rule, "table", table) &&
		    json_integer_value(json_object_get(rule, "handle")) == (json_int_t)handle)
			return rule;
	}
	return NULL;
}

/* The place of the next match or target of this name in a rule at or after `i`; the number of all if none. */
static size_t find_xt(const json_t *statements, const char *type, const char *name, size_t i)
{
	for (; i < json_array_size(statements); i++) {
		const json_t *xt = json_object_get(json_array_get(statements, i), "xt");

		if (has_text(xt, "type", type) && has_text(xt, "name", name))
			break;
	}
	return i;
}

/* MATCH and TARGET have the same attributes with the same numbers. */
static void replace_one(json_t *statements, const char *type, struct part data, size_t *at)
{
	const char *name = text_in(find(data, NFTA_MATCH_NAME));
	struct part info = find(data, NFTA_MATCH_INFO);
	json_t *meaning =
	    xt_decode(type, name, (unsigned)number_in(find(data, NFTA_MATCH_REV)), info.bytes, info.len);
	json_t *one;
	size_t i;

	*at = find_xt(statements, type, name, *at);
	if (*at == json_array_size(statements)) {
		json_decref(meaning);
		return;
	}
	if (meaning == NULL) {
		*at += 1;
		return;
	}
	(void)json_array_remove(statements, *at);
	json_array_foreach (meaning, i, one)
		(void)json_array_insert(statements, (*at)++, one);
	json_decref(meaning);
}

static void replace_in_rule(json_t *items, const char *family, struct part message)
{
	static const char *const types[] = { "match", "target" };
	json_t *rule = find_rule(items, family, text_in(find(message, NFTA_RULE_TABLE)),
				 number_in(find(message, NFTA_RULE_HANDLE)));
	json_t *statements = json_object_get(rule, "expr");
	struct part list = find(message, NFTA_RULE_EXPRESSIONS), expr;
	unsigned type;
	size_t at = 0;

	while (statements != NULL && take_attribute(&list, &type, &expr)) {
		const char *name = text_in(find(expr, NFTA_EXPR_NAME));

		for (size_t i = 0; i < NELEM(types); i++)
			if (strcmp(name, types[i]) == 0)
				replace_one(statements, types[i], find(expr, NFTA_EXPR_DATA), &at);
	}
}

/* One packet of the answer. Returns 1 if more follow, 0 at the end, or a negative errno. */
static int read_messages(json_t *items, const uint8_t *bytes, size_t len)
{
	struct nlmsghdr head;
	struct nfgenmsg family;

	while (len >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		if (head.nlmsg_type == NLMSG_DONE)
			return 0;
		if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_len < NLMSG_LENGTH(sizeof(family)) ||
		    head.nlmsg_len > len)
			return -EPROTO;
		memcpy(&family, bytes + NLMSG_HDRLEN, sizeof(family));
		replace_in_rule(items, word_of(family.nfgen_family),
				(struct part){ bytes + NLMSG_LENGTH(sizeof(family)),
					       head.nlmsg_len - NLMSG_LENGTH(sizeof(family)) });
		if (NLMSG_ALIGN(head.nlmsg_len) >= len)
			return 1;
		bytes += NLMSG_ALIGN(head.nlmsg_len);
		len -= NLMSG_ALIGN(head.nlmsg_len);
	}
	return len == 0 ? 1 : -EPROTO;
}

static bool has_any(json_t *items)
{
	json_t *item, *one;
	size_t i, k;

	json_array_foreach (items, i, item)
		json_array_foreach (json_object_get(json_object_get(item, "rule"), "expr"), k, one)
			if (json_object_get(one, "xt") != NULL)
				return true;
	return false;
}

/* Ask for all rules of all families. */
static int send_request(int fd)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.family = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};

	return sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) ==
		       -1
		   ? -errno
		   : 0;
}

void ruleset_xt_replace(json_t *items)
{
	static uint8_t answer[ANSWER_MAX]; /* too large for the stack; attlsctl has one thread */
	int fd = has_any(items) ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER) : -1;
	int r;

	if (fd == -1)
		return;
	r = send_request(fd) < 0 ? 0 : 1;
	while (r > 0) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);

		r = n <= 0 ? 0 : read_messages(items, answer, (size_t)n);
	}
	fd_close(&fd);
}
