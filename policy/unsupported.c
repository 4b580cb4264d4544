/*
 * Refuses what the policy language has and the gateway does not support yet. The
 * table at the top names each such key; a feature that is added takes its row away.
 */
#include "policy/unsupported.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "policy/member.h"
#include "policy/nelem.h"
#include "policy/schema.h"

/* Remove the row of a feature when the gateway supports it. */
static const struct unsupported table[] = {
	{ "tls_actions", "handshake_role", UNSUPPORTED_BUT(ROLE_CLIENT),
	  "use server or server_with_client_auth" },
};

const struct unsupported *unsupported_at(size_t index)
{
	return index < NELEM(table) ? &table[index] : NULL;
}

static bool is_allowed(const struct unsupported *row, const struct field *f, const void *object)
{
	uint64_t value;

	if (f->type == FIELD_OBJECTS)
		return member_load_count(object, f->count_offset) == 0;
	value = member_load_uint(object, f);
	if (row->allowed & UNSUPPORTED_NOT)
		return value != (row->allowed & ~UNSUPPORTED_NOT);
	return value == row->allowed;
}

static void check_object(const struct unsupported *row, const struct field *f, const void *object,
			 const struct locations *locations, struct diags *diags)
{
	const struct location *location = locations_find(locations, object, f->key);

	if (location != NULL && !location->faulty && !is_allowed(row, f, object))
		diags_add(diags, DIAG_ERROR, location->mark, "\"%s\" is not supported yet; %s", f->key,
			  row->fix);
}

void unsupported_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct unsupported *row;

	for (size_t i = 0; (row = unsupported_at(i)) != NULL; i++) {
		const struct field *section =
		    schema_find(schema_root(), row->section != NULL ? row->section : row->key);
		const struct field *f = section;
		const char *object = (const char *)policy;
		size_t n = 1;

		assert(section != NULL);
		if (row->section != NULL) {
			f = schema_find(section->sub, row->key);
			object = member_of_const(policy, section->offset);
		}
		assert(f != NULL);
		if (row->section != NULL && section->type == FIELD_OBJECTS) {
			n = member_load_count(policy, section->count_offset);
			memcpy(&object, member_of_const(policy, section->offset), sizeof(object));
		}
		for (size_t j = 0; j < n; j++)
			check_object(row, f, object + j * section->sub->size, locations, diags);
	}
}
