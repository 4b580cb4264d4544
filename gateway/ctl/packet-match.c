/*
 * Compares fields of a packet with what a rule of nftables wants of them: numbers,
 * ranges, prefixes, sets, and combinations of fields. The values of the fields come
 * from packet-field.c.
 */
#include "gateway/ctl/packet-match.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/packet-field.h"
#include "gateway/ctl/ruleset.h"

static enum packet_match is_in(struct packet_look *look, const json_t *rule, const struct packet_field *field,
			       const json_t *right);

static enum packet_match both(enum packet_match a, enum packet_match b)
{
	return a < b ? a : b;
}

/* Enough that one of them is met. */
static enum packet_match either(enum packet_match a, enum packet_match b)
{
	if (a == PACKET_YES || b == PACKET_YES)
		return PACKET_YES;
	if (a == PACKET_UNKNOWN || b == PACKET_UNKNOWN)
		return PACKET_UNKNOWN;
	return a > b ? a : b;
}

static enum packet_match opposite(enum packet_match met)
{
	static const enum packet_match table[] = {
		[PACKET_NO] = PACKET_YES,
		[PACKET_UNKNOWN] = PACKET_UNKNOWN,
		[PACKET_SOME] = PACKET_SOME,
		[PACKET_YES] = PACKET_NO,
	};

	return table[met];
}

static enum packet_match not_understood(struct packet_look *look, const char *what)
{
	if (look->what == NULL)
		look->what = what;
	return PACKET_UNKNOWN;
}

static enum packet_match is_number(struct packet_look *look, const struct packet_field *field, int64_t low,
				   int64_t high)
{
	if (low > high || field->high < low || field->low > high)
		return PACKET_NO;
	if (field->low >= low && field->high <= high)
		return PACKET_YES;
	if (field->kind != PACKET_FIELD_PORT)
		return PACKET_SOME;
	/* the caller asks again for the ports of each side */
	look->split = (uint16_t)(field->low < low ? low : high + 1);
	return PACKET_UNKNOWN;
}

static bool parse(const char *text, enum ip_family family, struct ip_addr *ret)
{
	return ip_addr_parse(text, strlen(text), ret) == 0 && ret->family == family;
}

/* Of equal families. */
static int compare(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static enum packet_match is_address(const struct packet_field *field, const struct ip_addr *low,
				    const struct ip_addr *high)
{
	if (compare(&field->addresses.high, low) < 0 || compare(&field->addresses.low, high) > 0)
		return PACKET_NO;
	return compare(&field->addresses.low, low) >= 0 && compare(&field->addresses.high, high) <= 0
		   ? PACKET_YES
		   : PACKET_SOME;
}

/* `low` with all bits after the first `bits` set. */
static struct ip_addr last_of(const struct ip_addr *low, unsigned bits)
{
	size_t n = low->family == IP_V6 ? sizeof(low->bytes) : 4;
	struct ip_addr high = *low;

	for (size_t i = bits; i < n * CHAR_BIT; i++)
		high.bytes[i / CHAR_BIT] |= (uint8_t)(0x80u >> (i % CHAR_BIT));
	return high;
}

static enum packet_match is_prefix(struct packet_look *look, const struct packet_field *field,
				   const json_t *prefix)
{
	const char *addr = json_string_value(json_object_get(prefix, "addr"));
	int64_t len = json_integer_value(json_object_get(prefix, "len"));
	struct ip_addr low, high;

	if (addr == NULL || field->kind != PACKET_FIELD_ADDRESS)
		return not_understood(look, "a prefix");
	/* mapped addresses (::ffff:0:0/96) are IPv4's here, and no packet has them */
	if (!parse(addr, field->addresses.low.family, &low))
		return PACKET_NO;
	high = last_of(&low, (unsigned)len);
	return is_address(field, &low, &high);
}

static enum packet_match is_range(struct packet_look *look, const struct packet_field *field,
				  const json_t *range)
{
	const json_t *first = json_array_get(range, 0), *last = json_array_get(range, 1);
	struct ip_addr low, high;

	if (json_is_integer(first) && json_is_integer(last))
		return is_number(look, field, json_integer_value(first), json_integer_value(last));
	if (field->kind != PACKET_FIELD_ADDRESS || !json_is_string(first) || !json_is_string(last))
		return not_understood(look, "a range");
	if (!parse(json_string_value(first), field->addresses.low.family, &low) ||
	    !parse(json_string_value(last), field->addresses.low.family, &high))
		return PACKET_NO;
	return is_address(field, &low, &high);
}

/* An interface's name; "eth*" is every one that begins so. */
static enum packet_match is_interface(const struct packet_field *field, const char *word)
{
	size_t len = strlen(word);
	bool open = len > 0 && word[len - 1] == '*';

	if (field->text == NULL)
		return strcmp(word, "lo") == 0 ? PACKET_NO : PACKET_SOME;
	if (open ? strncmp(word, field->text, len - 1) == 0 : strcmp(word, field->text) == 0)
		return PACKET_YES;
	return PACKET_NO;
}

static enum packet_match is_word(struct packet_look *look, const struct packet_field *field, const char *word)
{
	struct ip_addr address;

	if (strcmp(word, "*") == 0) /* the element for all others, which comes last */
		return PACKET_YES;
	switch (field->kind) {
	case PACKET_FIELD_TEXT:
		return strcmp(field->text, word) == 0 ? PACKET_YES : PACKET_NO;
	case PACKET_FIELD_INTERFACE:
		return is_interface(field, word);
	case PACKET_FIELD_ADDRESS:
		if (!parse(word, field->addresses.low.family, &address))
			return PACKET_NO;
		return is_address(field, &address, &address);
	case PACKET_FIELD_NUMBER:
	case PACKET_FIELD_PORT:
	case PACKET_FIELD_UNKNOWN:
	case PACKET_FIELD_NONE:
	case PACKET_FIELD_ANY:
		break;
	}
	return not_understood(look, word);
}

static enum packet_match is_integer(struct packet_look *look, const struct packet_field *field,
				    int64_t number)
{
	if (field->kind == PACKET_FIELD_NUMBER || field->kind == PACKET_FIELD_PORT ||
	    (field->kind == PACKET_FIELD_TEXT && field->low != 0))
		return is_number(look, field, number, number);
	return not_understood(look, "a number");
}

static enum packet_match is_one_of(struct packet_look *look, const json_t *rule,
				   const struct packet_field *field, const json_t *list)
{
	enum packet_match met = PACKET_NO;
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		/* an element of a map is a pair of key and value */
		met =
		    either(met, is_in(look, rule, field, json_is_array(one) ? json_array_get(one, 0) : one));
		if (met == PACKET_YES)
			break;
	}
	return met;
}

/* A set in a rule, or a list of flags, of which one is enough. */
static const json_t *list_in(const json_t *right)
{
	const json_t *list = json_object_get(right, "set");

	if (json_is_array(right))
		return right;
	return list != NULL ? list : json_object_get(right, "|");
}

static enum packet_match is_in(struct packet_look *look, const json_t *rule, const struct packet_field *field,
			       const json_t *right)
{
	const json_t *elem = json_object_get(right, "elem");
	const char *word = json_string_value(right);

	if (word != NULL && word[0] == '@')
		right = ruleset_elements(look->ruleset, rule, word + 1);
	if (field->kind == PACKET_FIELD_NONE || right == NULL) /* an empty set */
		return PACKET_NO;
	if (field->kind == PACKET_FIELD_ANY)
		return PACKET_SOME;
	if (field->kind == PACKET_FIELD_UNKNOWN)
		return not_understood(look, "a condition");
	if (elem != NULL) /* an element with a time-out or a comment */
		return is_in(look, rule, field, json_object_get(elem, "val"));
	if (list_in(right) != NULL)
		return is_one_of(look, rule, field, list_in(right));
	if (json_object_get(right, "range") != NULL)
		return is_range(look, field, json_object_get(right, "range"));
	if (json_object_get(right, "prefix") != NULL)
		return is_prefix(look, field, json_object_get(right, "prefix"));
	if (json_is_string(right))
		return is_word(look, field, json_string_value(right));
	if (json_is_integer(right))
		return is_integer(look, field, json_integer_value(right));
	if (json_is_boolean(right))
		return is_integer(look, field, json_is_true(right) ? 1 : 0);
	return not_understood(look, "an expression");
}

/* The parts of "saddr . daddr . dport", each compared with its part of `right`. */
static enum packet_match parts_are(struct packet_look *look, const json_t *rule, const json_t *lefts,
				   const json_t *right)
{
	const json_t *elem = json_object_get(right, "elem"), *list = list_in(right);
	const json_t *rights = json_object_get(right, "concat");
	const char *word = json_string_value(right);
	enum packet_match met = PACKET_NO;
	json_t *one;
	size_t i;

	if (elem != NULL)
		return parts_are(look, rule, lefts, json_object_get(elem, "val"));
	if (word != NULL && word[0] == '@') {
		list = ruleset_elements(look->ruleset, rule, word + 1);
		if (list == NULL) /* it is empty */
			return PACKET_NO;
	}
	if (word != NULL && strcmp(word, "*") == 0)
		return PACKET_YES;
	if (list != NULL) {
		json_array_foreach (list, i, one)
			met = either(met, parts_are(look, rule, lefts,
						    json_is_array(one) ? json_array_get(one, 0) : one));
		return met;
	}
	if (json_array_size(rights) != json_array_size(lefts))
		return not_understood(look, "a combination of fields");
	met = PACKET_YES;
	json_array_foreach (lefts, i, one)
		met = both(met, packet_is(look, rule, one, json_array_get(rights, i)));
	return met;
}

/* A text, alone or in a list. */
static bool has_word(const json_t *value, const char *word)
{
	const char *text = json_string_value(value);
	json_t *one;
	size_t i;

	if (text != NULL)
		return strcmp(text, word) == 0;
	json_array_foreach (list_in(value), i, one)
		if (has_word(one, word))
			return true;
	return false;
}

/* `tcp flags & (fin | syn | rst | ack) == syn`: the first packet has syn alone. Or a number. */
static enum packet_match masked_is(struct packet_look *look, const json_t *operands, const json_t *right)
{
	const json_t *left = json_array_get(operands, 0), *mask = json_array_get(operands, 1);
	struct packet_field field = packet_field_get(look->packet, left);
	bool kept;

	if (field.kind == PACKET_FIELD_TEXT && strcmp(field.text, "syn") == 0) {
		kept = has_word(mask, "syn");
		if (json_is_integer(right) && json_integer_value(right) == 0)
			return kept ? PACKET_NO : PACKET_YES;
		if (list_in(right) != NULL && json_array_size(list_in(right)) != 1)
			return PACKET_NO;
		return kept && has_word(right, "syn") ? PACKET_YES : PACKET_NO;
	}
	if (field.kind == PACKET_FIELD_NUMBER && json_is_integer(mask) && json_is_integer(right))
		return (field.low & json_integer_value(mask)) == json_integer_value(right) ? PACKET_YES
											   : PACKET_NO;
	if (field.kind == PACKET_FIELD_ANY)
		return PACKET_SOME;
	if (field.kind == PACKET_FIELD_NONE)
		return PACKET_NO;
	return not_understood(look, packet_field_name(left));
}

/* The set to which attlsd adds this packet. */
static bool is_announced(const struct packet_look *look, const json_t *rule, const json_t *right)
{
	const char *word = json_string_value(right);

	return look->packet->set != NULL && word != NULL && word[0] == '@' &&
	       ruleset_is_named(rule, word + 1, look->packet->set);
}

enum packet_match packet_is(struct packet_look *look, const json_t *rule, const json_t *left,
			    const json_t *right)
{
	const json_t *concat = json_object_get(left, "concat"), *mask = json_object_get(left, "&");
	struct packet_field field;

	if (is_announced(look, rule, right))
		return PACKET_YES;
	if (concat != NULL)
		return parts_are(look, rule, concat, right);
	if (mask != NULL)
		return masked_is(look, mask, right);
	field = packet_field_get(look->packet, left);
	if (field.kind == PACKET_FIELD_UNKNOWN)
		return not_understood(look, packet_field_name(left));
	return is_in(look, rule, &field, right);
}

/* "<" and the like, for numbers and ports. */
static enum packet_match is_ordered(struct packet_look *look, const json_t *left, const char *op,
				    const json_t *right)
{
	static const struct {
		const char *op;
		bool below, with;
	} ops[] = {
		{ "<", true, false }, { "<=", true, true }, { ">", false, false }, { ">=", false, true }
	};
	struct packet_field field = packet_field_get(look->packet, left);
	int64_t number = json_integer_value(right);

	if (field.kind == PACKET_FIELD_ANY)
		return PACKET_SOME;
	if (field.kind == PACKET_FIELD_NONE)
		return PACKET_NO;
	for (size_t i = 0; i < NELEM(ops); i++) {
		if (strcmp(ops[i].op, op) != 0 || !json_is_integer(right) ||
		    (field.kind != PACKET_FIELD_PORT && field.kind != PACKET_FIELD_NUMBER))
			continue;
		if (ops[i].below)
			return is_number(look, &field, 0, ops[i].with ? number : number - 1);
		return is_number(look, &field, ops[i].with ? number : number + 1, UINT32_MAX);
	}
	return not_understood(look, packet_field_name(left));
}

enum packet_match packet_meets(struct packet_look *look, const json_t *rule, const json_t *match)
{
	const char *op = json_string_value(json_object_get(match, "op"));
	const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");

	if (op == NULL || left == NULL || right == NULL)
		return not_understood(look, "a condition");
	if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
		return packet_is(look, rule, left, right);
	if (strcmp(op, "!=") == 0) {
		/* a field that is not there differs from nothing */
		if (packet_field_get(look->packet, left).kind == PACKET_FIELD_NONE)
			return PACKET_NO;
		return opposite(packet_is(look, rule, left, right));
	}
	return is_ordered(look, left, op, right);
}

bool packet_names_port(const json_t *left)
{
	const char *field = json_string_value(json_object_get(json_object_get(left, "payload"), "field"));
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(left, "concat"), i, one)
		if (packet_names_port(one))
			return true;
	return field != NULL && strcmp(field, "dport") == 0;
}

/* One address, prefix or range. False: it is something else. */
static bool read_addresses(const json_t *right, enum ip_family family, struct packet_addresses *ret)
{
	const json_t *prefix = json_object_get(right, "prefix"), *range = json_object_get(right, "range");
	const json_t *elem = json_object_get(right, "elem");
	const json_t *low = prefix != NULL ? json_object_get(prefix, "addr") : json_array_get(range, 0);

	if (elem != NULL)
		return read_addresses(json_object_get(elem, "val"), family, ret);
	if (json_is_string(right))
		low = right;
	if (!json_is_string(low) || !parse(json_string_value(low), family, &ret->low))
		return false;
	ret->high = ret->low;
	if (prefix != NULL)
		ret->high = last_of(&ret->low, (unsigned)json_integer_value(json_object_get(prefix, "len")));
	if (range == NULL)
		return true;
	return json_is_string(json_array_get(range, 1)) &&
	       parse(json_string_value(json_array_get(range, 1)), family, &ret->high);
}

size_t packet_addresses_of(const struct ruleset *ruleset, const json_t *rule, enum ip_family family,
			   struct packet_addresses *ret, size_t max)
{
	json_t *one, *element;
	size_t i, k, n = 0;

	json_array_foreach (json_object_get(rule, "expr"), i, one) {
		const json_t *match = json_object_get(one, "match"), *right = json_object_get(match, "right");
		const json_t *field = json_object_get(json_object_get(match, "left"), "payload");
		const char *word = json_string_value(right);
		const json_t *list = word != NULL && word[0] == '@'
					 ? ruleset_elements(ruleset, rule, word + 1)
					 : list_in(right);

		if (strcmp(ruleset_text(field, "field"), "daddr") != 0 ||
		    strcmp(ruleset_text(match, "op"), "==") != 0)
			continue;
		if (list == NULL)
			return read_addresses(right, family, ret) ? 1 : 0;
		json_array_foreach (list, k, element)
			if (n == max || !read_addresses(element, family, &ret[n++]))
				return 0;
	}
	return n;
}
