/* Read one value of the file, or a list of values, into its member of a struct. */
#ifndef ATTLSD_POLICY_FIELD_H
#define ATTLSD_POLICY_FIELD_H

#include <stdbool.h>

#include "policy/node.h"
#include "policy/parse-context.h"
#include "policy/schema-types.h"

/* What reads a type: reports a fault, or stores the value in the object. */
typedef void field_fn(struct parse_context *ctx, const struct field *field, const struct node *node,
		      void *object);

/* For every type but the containers (FIELD_GROUP, FIELD_LIST, FIELD_OBJECTS). */
field_fn field_parse;

/* The types that have files of their own. */
field_fn field_ref, field_refs; /* reference.c */
field_fn field_commands;	/* command-list.c */
field_fn field_ciphers;		/* cipher-list.c */

/* A value that is there; reports a fault otherwise. */
bool field_is_scalar(struct parse_context *ctx, const struct field *field, const struct node *node);
/* A list, or a single value, which is a list of one; reports a fault otherwise. */
bool field_is_list(struct parse_context *ctx, const struct field *field, const struct node *node,
		   bool empty_ok);

#endif
