/*
 * Checks of `access` across its entries and against the users of the policy. The first
 * entry that covers a path decides, so an entry after one that covers more is dead text,
 * and an auditor would read it as if it counted.
 */
#include "policy/rule-access.h"

#include <stdbool.h>
#include <string.h>

#include "policy/rule-check.h"

/* Does each name that the second may stand for fit the first? Only "*" covers more than itself. */
static bool part_covers(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || (strcmp(a, "*") == 0 && strcmp(b, "**") != 0);
}

static bool path_covers(const struct ftp_access *a, const struct ftp_access *b)
{
	size_t n = a->nparts;
	bool all = n > 0 && a->space == FTP_SPACE_MVS && strcmp(a->parts[n - 1], "**") == 0;

	if (a->space != b->space)
		return false;
	n -= all ? 1 : 0;
	if (n > b->nparts || (a->space == FTP_SPACE_MVS && !all && n != b->nparts))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!part_covers(a->parts[i], b->parts[i]))
			return false;
	return true;
}

static bool names_have(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Is each name of b in a? */
static bool lists_hold(const char *const *a, size_t na, const char *const *b, size_t nb)
{
	for (size_t i = 0; i < nb; i++)
		if (!names_have(a, na, b[i]))
			return false;
	return true;
}

static bool verbs_cover(const struct command_list *a, const struct command_list *b)
{
	return a->n == 0 || (b->n > 0 && lists_hold(a->names, a->n, b->names, b->n));
}

static bool same_names(const struct name_list *a, const struct name_list *b)
{
	return lists_hold(a->names, a->n, b->names, b->n) && lists_hold(b->names, b->n, a->names, a->n);
}

static bool same_people(const struct ftp_access *a, const struct ftp_access *b)
{
	return same_names(&a->users, &b->users) && same_names(&a->certificates, &b->certificates) &&
	       same_names(&a->principals, &b->principals);
}

static void check_names(const struct check *c, const struct ftp_action *ftp, const struct ftp_access *access,
			const char *key, const struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		bool known = false;

		for (size_t j = 0; j < c->policy->nusers; j++)
			known |= c->policy->users[j].name != NULL &&
				 strcmp(c->policy->users[j].name, list->names[i]) == 0;
		if (!known)
			check_error(
			    c, DIAG_UNDEFINED_NAME, access, key,
			    "\"%s\" of \"access\" in ftp_actions \"%s\": there is no \"%.40s\" in users; "
			    "define it there, with its %s",
			    key, ftp->name, list->names[i], key);
	}
}

static void check_action(const struct check *c, const struct ftp_action *ftp)
{
	if (ftp->naccess > FTP_ACCESS_MAX)
		check_error(c, DIAG_TOO_MANY_NAMES, ftp, "access",
			    "\"access\" of ftp_actions \"%s\" may have %u entries", ftp->name,
			    (unsigned)FTP_ACCESS_MAX);
	for (size_t i = 0; i < ftp->naccess; i++) {
		const struct ftp_access *access = &ftp->access[i];

		if (access->path == NULL)
			continue;
		if (!check_is_given(c, access, "users") && !check_is_given(c, access, "certificates") &&
		    !check_is_given(c, access, "principals"))
			check_error(
			    c, DIAG_NOBODY_NAMED, access, "path",
			    "an entry of \"access\" needs \"users\", \"certificates\" or \"principals\"; \"users: []\" lets "
			    "nobody use \"%.60s\", and \"users: '*'\" everybody",
			    access->path);
		check_names(c, ftp, access, "certificates", &access->certificates);
		check_names(c, ftp, access, "principals", &access->principals);
	}
}

static void warn_entry(const struct check *c, const struct ftp_action *ftp, size_t index)
{
	const struct ftp_access *late = &ftp->access[index];

	for (size_t i = 0; i < index; i++) {
		const struct ftp_access *early = &ftp->access[i];
		bool same = path_covers(early, late) && path_covers(late, early);

		if (!path_covers(early, late) || !verbs_cover(&early->verbs, &late->verbs))
			continue;
		if (same && !same_people(early, late))
			check_warn(
			    c, DIAG_SAME_PATH, late, "path",
			    "\"%.60s\" of \"access\" contradicts an earlier entry with the same path, which "
			    "decides; join the two",
			    late->path);
		else
			check_warn(
			    c, DIAG_NEVER_DECIDES, late, "path",
			    "\"%.60s\" of \"access\" has no effect: \"%.60s\" before it covers all of it and "
			    "decides; put the entry with the longer path first",
			    late->path, early->path);
		check_see(c, early, "path", "the entry that decides");
		return;
	}
}

void rule_access_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nftp_actions; i++)
		if (check_is_valid(&c, &policy->ftp_actions[i]))
			check_action(&c, &policy->ftp_actions[i]);
}

void rule_access_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nftp_actions; i++)
		for (size_t j = 0; j < policy->ftp_actions[i].naccess; j++)
			warn_entry(&c, &policy->ftp_actions[i], j);
}
