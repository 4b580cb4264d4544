/*
 * Makes whole actions out of changed levels, so that nothing else needs to know of them:
 * ftp-alg/ only changes from one action to another.
 */
#include "policy/levels.h"

#include <string.h>

#include "policy/field.h"
#include "policy/member.h"
#include "policy/nelem.h"
#include "policy/rule-check.h"

/* The levels that an entry may raise. In each of these enums, less is stricter. */
static const struct level {
	const char *key;
	size_t in_action, in_entry;
} levels[] = {
#define LEVEL(name)                                                                                          \
	{                                                                                                    \
#name, offsetof(struct ftp_action, name), offsetof(struct ftp_per_user, name)                \
	}
	LEVEL(secure_ftp),
	LEVEL(secure_login),
	LEVEL(secure_ctrlconn),
	LEVEL(secure_dataconn),
#undef LEVEL
};

static unsigned load(const void *object, size_t offset)
{
	unsigned value;

	memcpy(&value, member_of_const(object, offset), sizeof(value));
	return value;
}

_Static_assert(sizeof(enum secure_ftp) == sizeof(unsigned) && sizeof(enum secure_login) == sizeof(unsigned) &&
		   sizeof(enum secure_level) == sizeof(unsigned),
	       "levels are copied as numbers");

/* A laxer level would let anybody lower it: the name in USER is only a claim. */
static void raise_level(const struct check *c, const struct ftp_per_user *entry, const struct level *level,
			struct ftp_action *made)
{
	unsigned value = load(entry, level->in_entry);

	if (!check_is_given(c, entry, level->key))
		return;
	if (value >= load(made, level->in_action))
		check_error(
		    c, DIAG_LEVEL_NOT_STRICTER, entry, level->key,
		    "\"%s\" in \"per_user\" must be stricter than that of ftp_actions \"%s\": a level "
		    "that a name lowers protects nobody",
		    level->key, made->name);
	else
		memcpy(member_of(made, level->in_action), &value, sizeof(value));
}

static void make_per_user(const struct check *c, struct ftp_action *ftp, struct ftp_per_user *entry,
			  struct arena *arena)
{
	struct ftp_action *made = arena_alloc(arena, 1, sizeof(*made));
	size_t given = 0;

	if (made == NULL)
		return;
	*made = *ftp;
	made->per_user = NULL;
	made->nper_user = 0;
	made->usual = ftp;
	for (size_t i = 0; i < NELEM(levels); i++) {
		given += check_is_given(c, entry, levels[i].key);
		raise_level(c, entry, &levels[i], made);
	}
	if (given == 0)
		check_error(c, DIAG_EMPTY_ENTRY, ftp, "per_user",
			    "an entry of \"per_user\" of ftp_actions \"%s\" changes nothing; give it "
			    "secure_ftp, secure_login, secure_ctrlconn or secure_dataconn",
			    ftp->name);
	entry->action = made;
}

/*
 * What is in force while a rule audits. SECURE_LOGIN stays, because a certificate may be what
 * logs a user in; whoever shows none is noted.
 */
static const struct ftp_action *make_lenient(const struct ftp_action *ftp, struct arena *arena)
{
	struct ftp_action *made = arena_alloc(arena, 1, sizeof(*made));

	if (made == NULL)
		return NULL;
	*made = *ftp;
	made->secure_ftp = SECURE_FTP_ALLOWED;
	made->secure_ctrlconn = SECURE_CLEAR;
	if (made->secure_dataconn != SECURE_NEVER)
		made->secure_dataconn = SECURE_CLEAR;
	if (session_reuse_is_required(made->secure_session_reuse))
		made->secure_session_reuse = SESSION_REUSE_ALLOWED;
	return made;
}

void levels_finish(struct policy *policy, const struct locations *locations, struct arena *arena,
		   struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nftp_actions; i++)
		for (size_t j = 0; j < policy->ftp_actions[i].nper_user; j++)
			make_per_user(&c, &policy->ftp_actions[i], &policy->ftp_actions[i].per_user[j],
				      arena);
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].action == RULE_AUDIT && policy->rules[i].ftp != NULL)
			policy->rules[i].lenient = make_lenient(policy->rules[i].ftp, arena);
}

/* Is there anything that this action, for some user, refuses and an audit would let through? */
static bool has_refusals(const struct ftp_action *ftp)
{
	for (size_t i = 0; i < ftp->nper_user; i++)
		if (ftp->per_user[i].action != NULL && has_refusals(ftp->per_user[i].action))
			return true;
	return ftp_action_needs_tls(ftp) || ftp->secure_ctrlconn != SECURE_CLEAR ||
	       ftp->secure_login != SECURE_LOGIN_NO_CLIENT_AUTH || ftp->secure_dataconn == SECURE_PRIVATE ||
	       ftp->secure_dataconn == SECURE_SAFE || session_reuse_is_required(ftp->secure_session_reuse);
}

void levels_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->action == RULE_AUDIT && !has_refusals(rule->ftp))
			diags_add(
			    c.diags, DIAG_WARNING, DIAG_NO_EFFECT, rule->mark,
			    "\"action: audit\" of rules \"%s\" has no effect, because ftp_actions \"%s\" "
			    "demands nothing: give it the levels that it shall have later",
			    rule->name, rule->ftp->name);
	}
}
