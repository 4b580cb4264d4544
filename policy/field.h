/* Read one value of the file, or a list of values, into its member of a struct. */
#ifndef ATTLSD_POLICY_FIELD_H
#define ATTLSD_POLICY_FIELD_H

#include <stdbool.h>

#include "policy/node.h"
#include "policy/parse-context.h"
#include "policy/schema-types.h"

/* The parser of one type: reports a fault, or stores the value in the object. */
typedef void field_fn(struct parse_context *ctx, const struct field *field, const struct node *node,
		      void *object);

/* One for each type of schema-types.h except the containers, which walk.c handles. */
field_fn field_parse_uint, field_parse_bool, field_parse_enum, field_parse_set, field_parse_duration;
field_fn field_parse_string, field_parse_path, field_parse_key, field_parse_trust, field_parse_name,
    field_parse_nets;
field_fn field_parse_port_range, field_parse_advertise, field_parse_endpoint, field_parse_backend,
    field_parse_server;
field_fn field_parse_source, field_parse_http;

/* In files of their own. */
field_fn field_parse_ref, field_parse_refs;					    /* reference.c */
field_fn field_parse_commands;							    /* command-list.c */
field_fn field_parse_host, field_parse_hosts, field_parse_pins;			    /* host-list.c */
field_fn field_parse_principals;						    /* principal-list.c */
field_fn field_parse_ciphers;							    /* cipher-list.c */
field_fn field_parse_tls_names;							    /* tls-name.c */
field_fn field_parse_patterns;							    /* pattern-list.c */
field_fn field_parse_days, field_parse_times, field_parse_period, field_parse_zone; /* time-field.c */
field_fn field_parse_access_path, field_parse_who;				    /* access-list.c */

/* Is there a single value? Reports a fault if not. */
bool field_is_scalar(struct parse_context *ctx, const struct field *field, const struct node *node);
/* Is there a list, or a single value, which counts as a list of one? Reports a fault if not. */
bool field_is_list(struct parse_context *ctx, const struct field *field, const struct node *node,
		   bool empty_ok);

#endif
