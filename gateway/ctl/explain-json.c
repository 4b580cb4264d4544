/*
 * Builds the JSON of an explanation. Callers need not check each step: a failure is
 * remembered and reported once, at the end.
 */
#include "gateway/ctl/explain-json.h"

void explain_put(struct explain_maker *maker, json_t *to, const char *key, json_t *value)
{
	if (json_object_set_new(to, key, value) != 0)
		maker->failed = true;
}

void explain_add(struct explain_maker *maker, json_t *to, json_t *value)
{
	if (json_array_append_new(to, value) != 0)
		maker->failed = true;
}

json_t *explain_text(const char *text)
{
	json_t *value = json_string(text);

	return value != NULL ? value : json_string("(not UTF-8)");
}
