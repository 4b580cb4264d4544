/*
 * The facade of policy/: YAML text in, an immutable policy out; then matching and
 * explaining. The other folders include this header only (and diag.h, ip.h and
 * ftp-action.h for their plain types).
 *
 * Nothing here does I/O, reads a clock or logs.
 */
#ifndef ATTLSD_POLICY_POLICY_H
#define ATTLSD_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/advertise.h"
#include "policy/arena.h"
#include "policy/balance.h"
#include "policy/cipher.h"
#include "policy/diag.h"
#include "policy/explain.h"
#include "policy/ip-range.h"
#include "policy/key-uri.h"
#include "policy/match.h"
#include "policy/own-listener.h"
#include "policy/policy-where.h"
#include "policy/schema.h"
#include "policy/server-map.h"
#include "policy/server-name.h"
#include "policy/shared-ports.h"
#include "policy/source.h"
#include "policy/time-condition.h"
#include "policy/tls-name.h"
#include "policy/types.h"
#include "policy/utf8.h"

/*
 * Parse and check a whole policy. `folder` is put before every relative path of
 * the file ("" leaves them alone). All faults go into diags, which the caller
 * has initialised with the same text; the policy is returned only if there was
 * no error; warnings are allowed. Returns 0, -EINVAL (diags says why) or -ENOMEM.
 */
int policy_parse(const char *text, size_t len, const char *folder, struct diags *diags,
		 struct policy **ret_policy);

/* The file of one node, of several that share a policy (own-values.h). */
struct policy_own_text {
	const char *file, *text; /* text NULL: there is no such file */
	size_t len;
};

/* The same with such a file, which diags has as well. own may be NULL. */
int policy_parse_own(const char *text, size_t len, const char *folder, const struct policy_own_text *own,
		     struct diags *diags, struct policy **ret_policy);

/*
 * Only daemon.control_socket, from a policy that may have faults: attlsctl has to
 * find a running attlsd while its policy is being edited. Returns 0 and the path,
 * cut off at `size` ("" for none); -EINVAL when the text is not YAML; -ENOMEM.
 */
int policy_peek_control_socket(const char *text, size_t len, const char *folder, char *buf, size_t size);

/* A copy that lives as long as the policy; NULL: no memory. For the *_pem of its key rings and for
 * server_map_text. */
const char *policy_keep(struct policy *policy, const char *text, size_t len);

/* daemon.key_isolation, where attlsd is started as root or not. */
bool policy_isolates_keys(const struct policy *policy, bool root);

/* Does an action of the policy offer AUTH GSSAPI? */
bool policy_offers_gssapi(const struct policy *policy);

/* Where daemon.audit points. */
enum audit_kind policy_audit_kind(const struct policy_daemon *daemon);

/* Give a condition of this policy its zone, in a copy that the policy owns. Returns 0 or -ENOMEM. */
int policy_set_zone(struct policy *policy, struct policy_time *time, const struct zone_span *spans, size_t n);

/* Where the file gives this key of an object of the policy, or else the object: for a message. */
struct diag_mark policy_mark(const struct policy *policy, const void *object, const char *key);

/* NULL-safe; sets *policy to NULL. */
void policy_free(struct policy **policy);

/* Is this a name as users, rules and all other objects have: 1 to 32 letters, digits and _ . -? */
bool policy_is_name(const char *text);

/* Is this a host name, and not an address? */
bool policy_is_host_name(const char *text);

/* May node.yaml have this key of this section of the policy? key NULL: any key of it. */
bool policy_node_may_have(const char *section, const char *key);

#endif
