/*
 * A table of the changes that give an unchanged policy file another meaning. Most of
 * them are new defaults. Each object that relies on the default gets a note, which
 * disappears when the file sets the key, to any value. So a note says what to write
 * to keep the old meaning, and what to write to confirm the new one.
 */
#include "policy/changed.h"

#include <stdbool.h>

#include "policy/nelem.h"

/* Notes are for reading after an upgrade. This limit leaves room for errors among the diags. */
#define NOTES_MAX (DIAGS_MAX / 2)

static bool has_lenient_scope(const void *object)
{
	const struct ftp_action *ftp = object;

	return ftp->secure_ftp == SECURE_FTP_ALLOWED &&
	       (ftp->secure_ctrlconn != SECURE_CLEAR || ftp->secure_dataconn == SECURE_SAFE ||
		ftp->secure_dataconn == SECURE_PRIVATE);
}

static bool has_trust(const void *object)
{
	const struct policy_keyring *keyring = object;

	return keyring->trust != NULL || keyring->trust_system;
}

static bool waits_for_data_sets(const void *object)
{
	const struct ftp_action *ftp = object;

	return ftp->dswaittime_min > 0;
}

/* The section whose objects a change concerns. */
enum section { FTP_ACTIONS = 0, BACKENDS, USERS, KEYRINGS, TLS_ACTIONS, DAEMON };

static const struct change {
	enum section section;
	const char *key;		     /* the note is for objects that do not set this key */
	const char *at;			     /* the key that the note points at; NULL: the object */
	bool (*applies)(const void *object); /* NULL: always */
	const char *text;
} changes[] = {
	{ FTP_ACTIONS, "data_policy_scope", "secure_ftp", has_lenient_scope,
	  "\"secure_ctrlconn\" and \"secure_dataconn\" now apply to sessions without TLS as well; set "
	  "\"data_policy_scope\" to protected to exempt these as before, or to all to confirm" },
	{ FTP_ACTIONS, "unknown_commands", NULL, NULL,
	  "commands that neither attlsd nor the server's FEAT knows are now refused; set "
	  "\"unknown_commands\" to pass to pass them on as before, or to refuse to confirm" },
	{ BACKENDS, "command_line_max", NULL, NULL,
	  "command lines of more than 510 bytes are now refused; set \"command_line_max\" to 510 to confirm, or "
	  "to 4096 to pass them on as before, which is safe only if the server reads them as one line" },
	{ FTP_ACTIONS, "accesserrormsgs", NULL, NULL,
	  "\"accesserrormsgs: false\", the default, now also hides the server's reason for a refused login; set "
	  "it to true to show the reason as before, or to false to confirm" },
	{ FTP_ACTIONS, "myopentime", NULL, NULL,
	  "the FTP server now has 60 s to accept a connection; set \"myopentime\" to 30s to have it as before, or "
	  "to 60s to confirm" },
	{ FTP_ACTIONS, "dconntime", NULL, NULL,
	  "a receiver now has 120 s to acknowledge the last bytes of a transfer; set \"dconntime\" to 60s to have "
	  "it as before, or to 120s to confirm" },
	{ FTP_ACTIONS, "dswaittimereply", "dswaittime", waits_for_data_sets,
	  "a client that waits for a data set now gets a 125- line every 30 s; set \"dswaittimereply\" to 3600s "
	  "to send one at each attempt only, as before, or to 30s to confirm" },
	{ KEYRINGS, "max_client_chain", "trust", has_trust,
	  "certificate chains of clients may now have 16384 bytes; set \"max_client_chain\" to 102400 to allow as "
	  "many as before, or to 16384 to confirm" },
	{ DAEMON, "key_isolation", NULL, NULL,
	  "if attlsd is started as root, its workers no longer have the private keys; set \"key_isolation\" to "
	  "false to have it as before, or to auto to confirm" },
};

/* The array of a section's objects. */
static const void *objects_of(const struct policy *policy, enum section section, size_t *ret_n,
			      size_t *ret_size)
{
	switch (section) {
	case FTP_ACTIONS:
		*ret_n = policy->nftp_actions;
		*ret_size = sizeof(policy->ftp_actions[0]);
		return policy->ftp_actions;
	case BACKENDS:
		*ret_n = policy->nbackends;
		*ret_size = sizeof(policy->backends[0]);
		return policy->backends;
	case USERS:
		*ret_n = policy->nusers;
		*ret_size = sizeof(policy->users[0]);
		return policy->users;
	case KEYRINGS:
		*ret_n = policy->nkeyrings;
		*ret_size = sizeof(policy->keyrings[0]);
		return policy->keyrings;
	case TLS_ACTIONS:
		*ret_n = policy->ntls_actions;
		*ret_size = sizeof(policy->tls_actions[0]);
		return policy->tls_actions;
	case DAEMON: /* also of a policy without that section */
		*ret_n = 1;
		*ret_size = sizeof(policy->daemon);
		return &policy->daemon;
	}
	*ret_n = *ret_size = 0;
	return NULL;
}

/* A section without names is a key of the policy, and need not be there. */
static struct diag_mark mark_of(const struct policy *policy, const struct locations *locations,
				const void *object, const struct change *change)
{
	const char *section = locations_find(locations, policy, "daemon") != NULL ? "daemon" : "version";

	return change->section == DAEMON ? locations_mark(locations, policy, section)
					 : locations_mark(locations, object, change->at);
}

void changed_note(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	for (size_t i = 0; i < NELEM(changes); i++) {
		const struct change *change = &changes[i];
		size_t n, size;
		const char *objects = objects_of(policy, change->section, &n, &size);

		for (size_t j = 0; j < n && diags->nitems < NOTES_MAX; j++) {
			const void *object = objects + j * size;

			if (locations_find(locations, object, change->key) != NULL ||
			    (change->applies != NULL && !change->applies(object)))
				continue;
			diags_add(diags, DIAG_NOTE, DIAG_CHANGED_MEANING,
				  mark_of(policy, locations, object, change), "%s", change->text);
		}
	}
}
