/*
 * The JSON schema of one cipher suite, group or signature algorithm: its usual name, which
 * editors offer, or any of its other names and ids in any case.
 */
#include "gateway/ctl/schema-names.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/ctl/schema-pattern.h"

/* Names to offer, and a pattern of all names. */
struct names {
	json_t *offered;
	FILE *out;
	const char *separator;
};

static void add_name(struct names *names, const char *name)
{
	if (name == NULL)
		return;
	(void)fputs(names->separator, names->out);
	schema_pattern_word(names->out, name);
	names->separator = "|";
}

static void add_ciphers(struct names *names, const struct field *f)
{
	const struct cipher *c;

	for (size_t i = 0; (c = cipher_at(i)) != NULL; i++) {
		char id[sizeof("C02B")];

		if (c->openssl == NULL || cipher_is_tls13(c) != (f->type == FIELD_SUITES))
			continue;
		if (cipher_encrypts(c))
			(void)json_array_append_new(names->offered, json_string(c->openssl));
		add_name(names, c->openssl);
		add_name(names, c->iana);
		add_name(names, c->ftpdata);
		(void)snprintf(id, sizeof(id), "%04X", (unsigned)c->id);
		add_name(names, id);
		if (c->id <= UINT8_MAX)
			add_name(names, id + 2);
	}
}

static void add_tls_names(struct names *names, const struct field *f)
{
	enum tls_name_kind kind = f->type == FIELD_GROUPS ? TLS_NAME_GROUP : TLS_NAME_SIGNATURE;
	const struct tls_name *name;

	for (size_t i = 0; (name = tls_name_at(kind, i)) != NULL; i++) {
		if (name->refusal != NULL)
			continue;
		(void)json_array_append_new(names->offered, json_string(name->iana));
		add_name(names, name->iana);
		add_name(names, name->openssl);
		add_name(names, name->zos);
	}
	if (kind == TLS_NAME_GROUP)
		add_name(names, "prime256v1");
}

json_t *schema_names(const struct field *f)
{
	struct names names = { .offered = json_array(), .separator = "^(" };
	char *text = NULL;
	size_t size;
	json_t *schema = NULL;

	names.out = open_memstream(&text, &size);
	if (names.out == NULL) {
		json_decref(names.offered);
		return NULL;
	}
	if (f->type == FIELD_CIPHERS || f->type == FIELD_SUITES)
		add_ciphers(&names, f);
	else
		add_tls_names(&names, f);
	(void)fputs(")$", names.out);
	if (fclose(names.out) == 0)
		schema = json_pack("{s:[{s:O},{s:[s,s],s:s}]}", "anyOf", "enum", names.offered, "type",
				   "string", "number", "pattern", text);
	json_decref(names.offered);
	free(text);
	return schema;
}
