/*
 * The JSON schema of one value: a function for each type of the policy's tables, as in
 * policy/field.c. attlsd reads values as text, while JSON Schema sees what YAML 1.2 makes
 * of them, so a name may be a number here, and a number may be a text of digits.
 */
#include "gateway/ctl/schema-value.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/schema-names.h"
#include "gateway/ctl/schema-pattern.h"

#define PORT_LAST 65535
#define BYTE	  "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define V4	  "(" BYTE "\\.){3}" BYTE
#define V6	  "[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+" /* no more than its characters */
#define LABEL	  "[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
/* Only digits and dots would be a mistyped address. */
#define HOST	  "(?=[0-9.]*[A-Za-z_-])" LABEL "(\\." LABEL ")*"
#define INTERFACE "[iI][nN][tT][eE][rR][fF][aA][cC][eE]:.+"
#define ORIGINAL  "[oO][rR][iI][gG][iI][nN][aA][lL]"

#define HOST_MAX_LEN 253

/* A schema for text. `types` is JSON's, `written` the pattern of all of it; both are taken over. */
static json_t *pattern_schema(const char *types, json_t *written)
{
	return json_pack("{s:o*,s:o*}", "type", json_loads(types, JSON_DECODE_ANY, NULL), "pattern", written);
}

#define STRING	"\"string\""
#define TEXT	"[\"string\", \"number\", \"boolean\"]" /* what YAML may take for a number or a boolean */
#define INTEGER "[\"integer\", \"string\"]"

/* The pattern that fn writes for the field, as a JSON string with anchors. */
typedef void write_fn(FILE *out, const struct field *f);

static json_t *pattern_by(write_fn *fn, const struct field *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *pattern = NULL;

	if (out == NULL)
		return NULL;
	(void)fputs("^(", out);
	fn(out, f);
	(void)fputs(")$", out);
	if (fclose(out) == 0)
		pattern = json_string(text);
	free(text);
	return pattern;
}

static json_t *any_of(json_t *a, json_t *b)
{
	return json_pack("{s:[o*,o*]}", "anyOf", a, b);
}

/* One value or a list of them, as most lists of a policy. Takes the item over. */
static json_t *list_of(json_t *item, bool empty_ok)
{
	json_t *list = json_pack("{s:s,s:O*}", "type", "array", "items", item);

	if (!empty_ok)
		(void)json_object_set_new(list, "minItems", json_integer(1));
	return any_of(item, list);
}

static json_t *word_as_json(const char *word)
{
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		return json_boolean(word[0] == 't');
	return json_string(word);
}

/* The words as an editor should offer them. */
static json_t *enum_schema(const struct field *f)
{
	json_t *list = json_array();

	for (const struct word *word = f->words; word->text != NULL; word++)
		if (word->refusal == NULL)
			(void)json_array_append_new(list, word_as_json(word->text));
	return json_pack("{s:o}", "enum", list);
}

static void write_words(FILE *out, const struct field *f)
{
	const char *separator = "";

	for (const struct word *word = f->words; word != NULL && word->text != NULL; word++) {
		if (word->refusal != NULL)
			continue;
		(void)fputs(separator, out);
		schema_pattern_word(out, word->text);
		separator = "|";
	}
}

/* A word in any case. */
static json_t *word_schema(const struct field *f)
{
	return any_of(enum_schema(f), pattern_schema(STRING, pattern_by(write_words, f)));
}

static json_t *set_schema(const struct field *f)
{
	return list_of(word_schema(f), f->min == 0);
}

static void write_bool(FILE *out, const struct field *f)
{
	(void)f;
	schema_pattern_word(out, "true");
	(void)fputc('|', out);
	schema_pattern_word(out, "false");
}

static json_t *bool_schema(const struct field *f)
{
	return pattern_schema("[\"boolean\", \"string\"]", pattern_by(write_bool, f));
}

static void write_uint(FILE *out, const struct field *f)
{
	write_words(out, f);
	if (f->words != NULL)
		(void)fputc('|', out);
	schema_pattern_range(out, f->min, f->max);
}

static json_t *limited(json_t *schema, uint64_t low, uint64_t high)
{
	(void)json_object_set_new(schema, "minimum", json_integer((json_int_t)low));
	(void)json_object_set_new(schema, "maximum", json_integer((json_int_t)high));
	return schema;
}

static json_t *uint_schema(const struct field *f)
{
	json_t *number = limited(pattern_schema(INTEGER, pattern_by(write_uint, f)), f->min, f->max);

	return f->words != NULL ? any_of(enum_schema(f), number) : number;
}

/* The least and the greatest number of units in the limits of a duration. */
static uint64_t least_units(const struct field *f, uint64_t unit_ms)
{
	return (f->min * f->unit_ms + unit_ms - 1) / unit_ms;
}

static uint64_t most_units(const struct field *f, uint64_t unit_ms)
{
	return f->max * f->unit_ms / unit_ms;
}

static void write_duration(FILE *out, const struct field *f)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

	if (f->zero_ok)
		(void)fputs("0(ms|s|m|h|d)?|", out);
	schema_pattern_range(out, least_units(f, f->bare_unit_ms), most_units(f, f->bare_unit_ms));
	for (size_t i = 0; i < NELEM(units); i++) {
		uint64_t low = least_units(f, units[i].ms);
		uint64_t high = most_units(f, units[i].ms);

		if (low > high)
			continue;
		(void)fputc('|', out);
		schema_pattern_range(out, low, high);
		(void)fputs(units[i].name, out);
	}
}

static json_t *duration_schema(const struct field *f)
{
	json_t *duration = limited(pattern_schema(INTEGER, pattern_by(write_duration, f)),
				   least_units(f, f->bare_unit_ms), most_units(f, f->bare_unit_ms));

	return f->zero_ok ? any_of(json_pack("{s:i}", "const", 0), duration) : duration;
}

/* Lengths are in bytes, of which a text has at least as many as characters. */
static json_t *string_schema(const struct field *f)
{
	return json_pack("{s:o*,s:i,s:i}", "type", json_loads(TEXT, JSON_DECODE_ANY, NULL), "minLength",
			 (int)f->min, "maxLength", (int)f->max);
}

static json_t *path_schema(const struct field *f)
{
	return f->words != NULL ? any_of(enum_schema(f), string_schema(f)) : string_schema(f);
}

static json_t *trust_schema(const struct field *f)
{
	json_t *words = enum_schema(f);

	(void)json_array_append_new(json_object_get(words, "enum"), json_string("*AUTH*/*"));
	return any_of(words, string_schema(f));
}

static json_t *ref_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(TEXT, json_string(SCHEMA_NAME_PATTERN));
}

static json_t *name_schema(const struct field *f)
{
	return pattern_schema(TEXT, json_sprintf("^[A-Za-z0-9_.-]{1,%u}$", (unsigned)f->max));
}

static void write_port_range(FILE *out, const struct field *f)
{
	(void)fputs(" *", out);
	schema_pattern_range(out, f->min, f->max);
	(void)fputs(" *- *", out);
	schema_pattern_range(out, f->min, f->max);
	(void)fputs(" *|\\( *", out);
	schema_pattern_range(out, f->min, f->max);
	(void)fputs(" *, *", out);
	schema_pattern_range(out, f->min, f->max);
	(void)fputs(" *\\)", out);
}

static json_t *port_range_schema(const struct field *f)
{
	return pattern_schema(STRING, pattern_by(write_port_range, f));
}

static json_t *advertise_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(TEXT, json_string("^(" V4 "|" V6 "|" INTERFACE "|" HOST ")$"));
}

static void write_endpoint(FILE *out, const struct field *f)
{
	write_words(out, f);
	if (f->words != NULL)
		(void)fputc('|', out);
	(void)fputs("(" V4 "|\\[" V6 "\\]):", out);
	schema_pattern_range(out, 0, PORT_LAST);
}

static json_t *endpoint_schema(const struct field *f)
{
	json_t *schema = pattern_schema(STRING, pattern_by(write_endpoint, f));

	return f->words == NULL ? schema : any_of(enum_schema(f), schema);
}

static void write_http(FILE *out, const struct field *f)
{
	(void)fprintf(out, "/.{0,%u}|", (unsigned)f->max - 1);
	write_endpoint(out, f);
}

static json_t *http_schema(const struct field *f)
{
	return any_of(enum_schema(f), pattern_schema(STRING, pattern_by(write_http, f)));
}

static void write_backend(FILE *out, const struct field *f)
{
	(void)f;
	(void)fputs("(" ORIGINAL "|" V4 "|\\[" V6 "\\]|" HOST ")(:", out);
	schema_pattern_range(out, 1, PORT_LAST);
	(void)fputs(")?", out);
}

static json_t *backend_schema(const struct field *f)
{
	return any_of(json_pack("{s:s}", "const", "original"),
		      pattern_schema(TEXT, pattern_by(write_backend, f)));
}

static void write_source(FILE *out, const struct field *f)
{
	write_words(out, f);
	(void)fputs("|" V4 "|" V6 "|" INTERFACE, out);
}

static json_t *source_schema(const struct field *f)
{
	return any_of(enum_schema(f), pattern_schema(STRING, pattern_by(write_source, f)));
}

static json_t *host_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(TEXT, json_string("^(" V4 "|" V6 "|" HOST ")$"));
}

static json_t *hosts_schema(const struct field *f)
{
	json_t *host = pattern_schema(TEXT, json_string("^" HOST "$"));

	(void)f;
	(void)json_object_set_new(host, "maxLength", json_integer(HOST_MAX_LEN));
	return list_of(host, false);
}

static json_t *pins_schema(const struct field *f)
{
	(void)f;
	return list_of(pattern_schema(TEXT, json_string("^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")), false);
}

/* As policy/principal-list.c takes them. */
static json_t *principals_schema(const struct field *f)
{
	json_t *principal = pattern_schema(TEXT, json_string("^[^@\\s]+@[^@\\s]+$"));

	(void)f;
	(void)json_object_set_new(principal, "maxLength", json_integer(PRINCIPAL_MAX));
	return list_of(principal, false);
}

static json_t *nets_schema(const struct field *f)
{
	static const char pattern[] = "^(" V4 "(/([0-9]|[12][0-9]|3[0-2])|-" V4 ")?|" V6
				      "(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])|-" V6 ")?)$";

	(void)f;
	return list_of(pattern_schema(STRING, json_string(pattern)), false);
}

static json_t *patterns_schema(const struct field *f)
{
	(void)f;
	return list_of(pattern_schema(TEXT, json_string("^[!-~]{1,64}$")), false);
}

static json_t *days_schema(const struct field *f)
{
	(void)f;
	return list_of(
	    pattern_schema("[\"integer\", \"string\"]", json_string("^-?([1-9]|[12][0-9]|3[01])$")), false);
}

static json_t *times_schema(const struct field *f)
{
	(void)f;
	return list_of(pattern_schema(STRING, json_string("^([01][0-9]|2[0-3]):[0-5][0-9]-"
							  "(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")),
		       false);
}

#define MOMENT "(\\.\\.|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt]([01][0-9]|2[0-4]):[0-5][0-9])?)"

static json_t *period_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(STRING, json_string("^" MOMENT "/" MOMENT "$"));
}

static json_t *zone_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(TEXT, json_string("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"));
}

static json_t *commands_schema(const struct field *f)
{
	(void)f;
	return list_of(pattern_schema(TEXT, json_string("^[A-Za-z0-9]{1,16}( [A-Za-z0-9]{1,16})?$")), false);
}

static json_t *access_path_schema(const struct field *f)
{
	(void)f;
	return pattern_schema(STRING,
			      json_string("^(/[^\\\\]*|'[A-Za-z@#$%*][A-Za-z0-9@#$%*.-]*'|[Jj][Ee][Ss])$"));
}

static void write_who(FILE *out, const struct field *f)
{
	(void)fprintf(out, ".{1,%u}", (unsigned)f->max);
}

static json_t *who_schema(const struct field *f)
{
	return list_of(pattern_schema(TEXT, pattern_by(write_who, f)), true);
}

/* YAML takes ids such as 0035 and 1301 for numbers. */
static json_t *names_schema(const struct field *f)
{
	return list_of(schema_names(f), false);
}

static json_t *refs_schema(const struct field *f)
{
	return list_of(ref_schema(f), false);
}

typedef json_t *value_fn(const struct field *f);

json_t *schema_value(const struct field *field)
{
	static value_fn *const functions[FIELD_OBJECTS + 1] = {
		[FIELD_UINT] = uint_schema,
		[FIELD_BOOL] = bool_schema,
		[FIELD_ENUM] = word_schema,
		[FIELD_SET] = set_schema,
		[FIELD_DURATION] = duration_schema,
		[FIELD_STRING] = string_schema,
		[FIELD_PATH] = path_schema,
		[FIELD_TRUST] = trust_schema,
		[FIELD_KEY] = path_schema,
		[FIELD_NAME] = name_schema,
		[FIELD_PORT_RANGE] = port_range_schema,
		[FIELD_ADVERTISE] = advertise_schema,
		[FIELD_ENDPOINT] = endpoint_schema,
		[FIELD_HTTP] = http_schema,
		[FIELD_BACKEND] = backend_schema,
		[FIELD_SERVER] = backend_schema,
		[FIELD_SOURCE] = source_schema,
		[FIELD_HOST] = host_schema,
		[FIELD_HOSTS] = hosts_schema,
		[FIELD_PINS] = pins_schema,
		[FIELD_PRINCIPALS] = principals_schema,
		[FIELD_NETS] = nets_schema,
		[FIELD_PATTERNS] = patterns_schema,
		[FIELD_DAYS] = days_schema,
		[FIELD_TIMES] = times_schema,
		[FIELD_PERIOD] = period_schema,
		[FIELD_ZONE] = zone_schema,
		[FIELD_COMMANDS] = commands_schema,
		[FIELD_CIPHERS] = names_schema,
		[FIELD_SUITES] = names_schema,
		[FIELD_GROUPS] = names_schema,
		[FIELD_SIGNATURES] = names_schema,
		[FIELD_REF] = ref_schema,
		[FIELD_REFS] = refs_schema,
		[FIELD_ACCESS] = access_path_schema,
		[FIELD_WHO] = who_schema,
	};

	return functions[field->type](field);
}

json_t *schema_default(const struct field *field)
{
	const char *text = field->default_text;
	json_t *list;

	if (text == NULL)
		return NULL;
	if (field->type == FIELD_UINT || field->type == FIELD_DURATION) {
		char *end;
		long value = strtol(text, &end, 10);

		return *end == '\0' ? json_integer(value) : json_string(text);
	}
	if (field->type != FIELD_SET)
		return word_as_json(text);
	list = json_array();
	for (size_t len; *text != '\0'; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		(void)json_array_append_new(list, json_stringn(text, len));
	}
	return list;
}
