/*
 * Turns a parsed policy back into words for `attlsctl explain`: which part of a
 * rule does not match a connection, and the settings of an object. It prints
 * settings from the tables of schema.c, so a new key appears without new code.
 */
#include "policy/explain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/locations.h"
#include "policy/match.h"
#include "policy/member.h"
#include "policy/schema.h"

#define VALUE_MAX 512

static bool matches(struct policy_rule rule, const struct policy_flow *flow)
{
	struct policy alone = { .rules = &rule, .nrules = 1 };

	return policy_match(&alone, flow) != NULL;
}

unsigned policy_explain_rule(const struct policy_rule *rule, const struct policy_flow *flow)
{
	const struct policy_rule listener = { .listeners = rule->listeners, .nlisteners = rule->nlisteners };
	const struct policy_rule remote = { .remote_addrs = rule->remote_addrs,
					    .nremote_addrs = rule->nremote_addrs };
	const struct policy_rule local = { .local_addrs = rule->local_addrs,
					   .nlocal_addrs = rule->nlocal_addrs };
	const struct policy_rule direction = { .direction = rule->direction };
	const struct policy_rule destination = { .destinations = rule->destinations,
						 .ndestinations = rule->ndestinations };
	const struct policy_rule time = { .times = rule->times, .ntimes = rule->ntimes };
	unsigned misses = 0;

	if (!matches(listener, flow))
		misses |= POLICY_MISS_LISTENER;
	if (!matches(remote, flow))
		misses |= POLICY_MISS_REMOTE_ADDR;
	if (!matches(local, flow))
		misses |= POLICY_MISS_LOCAL_ADDR;
	if (!matches(direction, flow))
		misses |= POLICY_MISS_DIRECTION;
	if (!matches(destination, flow))
		misses |= POLICY_MISS_DESTINATION;
	if (!matches(time, flow))
		misses |= POLICY_MISS_TIME;
	return misses;
}

const char *policy_miss_name(unsigned bit)
{
	switch (bit) {
	case POLICY_MISS_LISTENER:
		return "listener";
	case POLICY_MISS_REMOTE_ADDR:
		return "remote_addr";
	case POLICY_MISS_LOCAL_ADDR:
		return "local_addr";
	case POLICY_MISS_DIRECTION:
		return "direction";
	case POLICY_MISS_TIME:
		return "time";
	case POLICY_MISS_DESTINATION:
		return "destination";
	default:
		return "";
	}
}

static void put_words(const struct field *f, uint64_t set, char buf[static VALUE_MAX])
{
	size_t len = 0;

	buf[0] = '\0';
	for (const struct word *word = f->words; word->text != NULL; word++)
		if ((word->value & set) != 0 && len < VALUE_MAX)
			len += (size_t)snprintf(buf + len, VALUE_MAX - len, "%s%s", len > 0 ? ", " : "",
						word->text);
	if (len == 0)
		(void)snprintf(buf, VALUE_MAX, "none");
}

static bool put_word(const struct field *f, uint64_t value, char buf[static VALUE_MAX])
{
	for (const struct word *word = f->words; word != NULL && word->text != NULL; word++) {
		if (word->value != value || word->refusal != NULL)
			continue;
		(void)snprintf(buf, VALUE_MAX, "%s", word->text);
		return true;
	}
	return false;
}

static void put_duration(const struct field *f, uint64_t value, char buf[static VALUE_MAX])
{
	uint64_t ms = value * f->unit_ms;

	(void)snprintf(buf, VALUE_MAX, ms % 1000 == 0 ? "%" PRIu64 "s" : "%" PRIu64 "ms",
		       ms % 1000 == 0 ? ms / 1000 : ms);
}

static void put_text(const void *at, const char *instead, char buf[static VALUE_MAX])
{
	const char *text;

	memcpy(&text, at, sizeof(text));
	(void)snprintf(buf, VALUE_MAX, "%s", text != NULL ? text : instead);
}

static void put_ports(const void *at, char buf[static VALUE_MAX])
{
	struct port_range range;

	memcpy(&range, at, sizeof(range));
	if (range.low == 0)
		(void)snprintf(buf, VALUE_MAX, "any");
	else
		(void)snprintf(buf, VALUE_MAX, "%u-%u", range.low, range.high);
}

static void put_commands(const struct command_list *list, char buf[static VALUE_MAX])
{
	size_t len = 0;

	(void)snprintf(buf, VALUE_MAX, "not given");
	for (size_t i = 0; i < list->n && len < VALUE_MAX - 1; i++)
		len +=
		    (size_t)snprintf(buf + len, VALUE_MAX - len, "%s%s", i > 0 ? ", " : "", list->names[i]);
}

static void put_item(const char *text, size_t i, char buf[static VALUE_MAX])
{
	size_t len = i > 0 ? strlen(buf) : 0;

	(void)snprintf(buf + len, VALUE_MAX - len, "%s%s", i > 0 ? ", " : "", text);
}

static void put_hosts(const struct field *f, const void *object, char buf[static VALUE_MAX])
{
	const struct policy_host *hosts;

	(void)snprintf(buf, VALUE_MAX, "not given");
	memcpy(&hosts, member_of_const(object, f->offset), sizeof(hosts));
	for (size_t i = 0; i < member_load_count(object, f->count_offset); i++)
		put_item(hosts[i].name, i, buf);
}

static void put_pins(const struct field *f, const void *object, char buf[static VALUE_MAX])
{
	const char **pins;

	(void)snprintf(buf, VALUE_MAX, "not given");
	memcpy(&pins, member_of_const(object, f->offset), sizeof(pins));
	for (size_t i = 0; i < member_load_count(object, f->count_offset); i++)
		put_item(pins[i], i, buf);
}

static void put_source(const struct policy_backend *backend, char buf[static VALUE_MAX])
{
	char text[IP_TEXT_MAX];
	size_t n;

	if (backend->source_interface != NULL)
		(void)snprintf(buf, VALUE_MAX, "interface:%s", backend->source_interface);
	n = backend->source_interface != NULL;
	if (backend->source_v4.family != IP_NONE)
		put_item(ip_addr_format(&backend->source_v4, text), n++, buf);
	if (backend->source_v6.family != IP_NONE)
		put_item(ip_addr_format(&backend->source_v6, text), n, buf);
}

/* The name of the referenced object. */
static void put_reference(const struct field *f, const void *at, char buf[static VALUE_MAX])
{
	const struct schema *schema = schema_find(schema_root(), f->section)->sub;
	const void *object;

	memcpy(&object, at, sizeof(object));
	if (object == NULL)
		(void)snprintf(buf, VALUE_MAX, "none");
	else
		put_text(member_of_const(object, schema->name_offset), "none", buf);
}

/* Returns false for what is not a plain value. */
static bool put_value(const struct field *f, const void *object, char buf[static VALUE_MAX])
{
	const void *at = member_of_const(object, f->offset);

	switch (f->type) {
	case FIELD_UINT:
		if (!put_word(f, member_load_uint(object, f), buf))
			(void)snprintf(buf, VALUE_MAX, "%" PRIu64, member_load_uint(object, f));
		return true;
	case FIELD_BOOL:
		(void)snprintf(buf, VALUE_MAX, "%s", member_load_uint(object, f) != 0 ? "true" : "false");
		return true;
	case FIELD_ENUM: /* a word that is not stored can only be its one value */
		return put_word(f, f->width == 0 ? 0 : member_load_uint(object, f), buf);
	case FIELD_SET:
		put_words(f, member_load_uint(object, f), buf);
		return true;
	case FIELD_DURATION:
		put_duration(f, member_load_uint(object, f), buf);
		return true;
	case FIELD_PORT_RANGE:
		put_ports(at, buf);
		return true;
	case FIELD_COMMANDS:
		put_commands(at, buf);
		return true;
	case FIELD_CIPHERS:
	case FIELD_SUITES:
	case FIELD_GROUPS:
	case FIELD_SIGNATURES:
		put_text(at, "default", buf);
		return true;
	case FIELD_PATH: /* a word of the value 0 is NULL */
	case FIELD_KEY:
		put_text(at, f->words != NULL && f->words->value == 0 ? f->words->text : "none", buf);
		return true;
	case FIELD_TRUST:
		put_text(at, *(const bool *)member_of_const(object, f->flag_offset) ? "*AUTH*/*" : "none",
			 buf);
		return true;
	case FIELD_SOURCE:
		if (!put_word(f, member_load_uint(object, f), buf))
			put_source(object, buf);
		return true;
	case FIELD_HOST:
		put_text(at, "none", buf);
		return true;
	case FIELD_HOSTS:
		put_hosts(f, object, buf);
		return true;
	case FIELD_PINS:
		put_pins(f, object, buf);
		return true;
	case FIELD_REF:
		put_reference(f, at, buf);
		return true;
	case FIELD_ACCESS:
	case FIELD_WHO:
	case FIELD_NONE:
	case FIELD_STRING:
	case FIELD_NAME:
	case FIELD_ADVERTISE:
	case FIELD_ENDPOINT:
	case FIELD_HTTP:
	case FIELD_BACKEND:
	case FIELD_SERVER:
	case FIELD_PRINCIPALS:
	case FIELD_NETS:
	case FIELD_PATTERNS:
	case FIELD_DAYS:
	case FIELD_TIMES:
	case FIELD_PERIOD:
	case FIELD_ZONE:
	case FIELD_REFS:
	case FIELD_GROUP:
	case FIELD_LIST:
	case FIELD_OBJECTS:
		return false;
	}
	return false;
}

bool policy_is_given(const struct policy *policy, const void *object, const char *key)
{
	return locations_find(policy->locations, object, key) != NULL;
}

void policy_explain_settings(const struct policy *policy, const char *section, const void *object,
			     policy_setting_fn *fn, void *context)
{
	const struct field *of = schema_find(schema_root(), section);
	char value[VALUE_MAX];

	assert(of != NULL && of->sub != NULL);
	for (const struct field *f = of->sub->fields; f->key != NULL; f++)
		if (put_value(f, object, value))
			fn(context, f->key, value, policy_is_given(policy, object, f->key));
}
