/*
 * Explains `access` and `per_user`: lists their entries, and asks the FTP machine, as attlsd
 * does, whether commands about one path would go to the server. Without a client to ask
 * about, each name of `access` logs in, and then a user whom no entry names.
 */
#include "gateway/ctl/explain-access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"
#include "gateway/ctl/explain-answers.h"

#define NAME_MAX_BYTES 32 /* of a name that is made up */

/* One command for each thing that people do with a path. */
static const char *const verbs[] = { "CWD",  "LIST", "RETR", "SIZE", "STOR",	      "MKD",
				     "DELE", "RMD",  "RNFR", "RNTO", "SITE CHMOD 600" };

/* Sent before each of them, to get a data connection; a refusal does not stop the client. GSSAPI needs the
 * longer PBSZ. */
static const char *const preparations[] = { "PBSZ 0", "PBSZ 32768", "PROT P", "EPSV" };

/* What an entry can name. */
enum who { WHO_USER, WHO_CERTIFICATE, WHO_PRINCIPAL };

static const struct {
	const char *word;
	size_t offset; /* of the list of names */
} kinds[] = {
	[WHO_USER] = { "user", offsetof(struct ftp_access, users) },
	[WHO_CERTIFICATE] = { "certificate", offsetof(struct ftp_access, certificates) },
	[WHO_PRINCIPAL] = { "principal", offsetof(struct ftp_access, principals) },
};

static const struct name_list *list_of(const struct ftp_access *access, enum who kind)
{
	return (const struct name_list *)(const void *)((const char *)access + kinds[kind].offset);
}

static json_t *names(struct explain_maker *maker, const char *const *list, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		explain_add(maker, all, explain_text(list[i]));
	return all;
}

json_t *explain_access(struct explain_maker *maker, const struct ftp_action *ftp)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ftp->naccess; i++) {
		const struct ftp_access *access = &ftp->access[i];
		json_t *one = json_object();

		if (access->line != 0)
			explain_put(maker, one, "line", json_integer(access->line));
		explain_put(maker, one, "path", explain_text(access->path));
		explain_put(maker, one, "verbs", names(maker, access->verbs.names, access->verbs.n));
		explain_put(maker, one, "users", names(maker, access->users.names, access->users.n));
		explain_put(maker, one, "certificates",
			    names(maker, access->certificates.names, access->certificates.n));
		explain_put(maker, one, "principals",
			    names(maker, access->principals.names, access->principals.n));
		explain_add(maker, list, one);
	}
	return list;
}

/* The settings of an entry of `per_user` that are not those of its action. */
struct raised {
	struct explain_maker *maker;
	const json_t *usual;
	json_t *to;
};

static void take_raised(void *context, const char *key, const char *value, bool given)
{
	struct raised *raised = context;
	const char *usual = json_string_value(json_object_get(raised->usual, key));

	(void)given; /* the action of an entry is not in the file */
	if (usual == NULL || strcmp(usual, value) != 0)
		explain_put(raised->maker, raised->to, key, explain_text(value));
}

json_t *explain_per_user(struct explain_maker *maker, const struct ftp_action *ftp, const json_t *usual)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ftp->nper_user; i++) {
		const struct ftp_per_user *entry = &ftp->per_user[i];
		struct raised raised = { .maker = maker, .usual = usual, .to = json_object() };

		explain_put(maker, raised.to, "users", names(maker, entry->users.names, entry->users.n));
		policy_explain_settings(maker->policy, "ftp_actions", entry->action, take_raised, &raised);
		explain_add(maker, list, raised.to);
	}
	return list;
}

/* What becomes of the command, in a session that is logged in. */
static json_t *ask(struct explain_maker *maker, struct simulation *simulation, const char *verb)
{
	struct simulation_answer answer;
	char command[FTP_LINE_MAX];
	json_t *one = json_object();
	bool whole = strchr(verb, '=') != NULL; /* it takes no path */

	for (size_t i = 0; i < NELEM(preparations); i++)
		simulation_command(simulation, preparations[i], &answer);
	(void)snprintf(command, sizeof(command), "%s%s%s", verb, whole ? "" : " ",
		       whole ? "" : maker->client->path);
	simulation_command(simulation, command, &answer);
	explain_put(maker, one, "command", explain_text(verb));
	explain_put(maker, one, "allowed", json_boolean(answer.passed));
	if (answer.passed)
		return one;
	explain_put(maker, one, "answer", explain_text(answer.text));
	if (answer.key != NULL)
		explain_put(maker, one, "key", json_string(answer.key));
	if (answer.line != 0)
		explain_put(maker, one, "line", json_integer(answer.line));
	return one;
}

static bool is_spool(const struct explain_maker *maker)
{
	return strcasecmp(maker->client->path, "jes") == 0;
}

/* What a client may do. `kind` says what `name` is; NULL: it has none. */
static void add_client(struct explain_maker *maker, json_t *to, const char *kind, const char *name,
		       enum explain_way way)
{
	static const char *const spool[] = { "SITE FILETYPE=JES" };
	const char *const *commands = is_spool(maker) ? spool : verbs;
	size_t n = is_spool(maker) ? NELEM(spool) : NELEM(verbs);
	json_t *one = json_object(), *list = json_array();
	char refusal[EXPLAIN_REASON_MAX] = "";

	explain_put(maker, one, "who", json_string(kind));
	if (name != NULL)
		explain_put(maker, one, "name", explain_text(name));
	for (size_t i = 0; i < n; i++) {
		struct simulation simulation;

		if (!explain_log_in(maker, way, &simulation, refusal))
			break;
		explain_add(maker, list, ask(maker, &simulation, commands[i]));
	}
	if (refusal[0] != '\0')
		explain_put(maker, one, "refused_at_login", explain_text(refusal));
	explain_put(maker, one, "answers", list);
	explain_add(maker, to, one);
}

/* May this user of the policy use this server? */
static bool is_permitted(const struct explain_maker *maker, const char *name)
{
	const struct name_list *permitted = maker->setup.permitted;

	for (size_t i = 0; i < permitted->n; i++)
		if (strcmp(permitted->names[i], name) == 0)
			return true;
	return false;
}

/*
 * As another client: one that logs in with this name, or whose certificate or ticket belongs to it. Not
 * `named`: it stands for all that no entry names.
 */
static void add_other(struct explain_maker *maker, json_t *to, enum who kind, const char *name, bool named)
{
	struct explain_client client = *maker->client;
	struct explain_maker other = *maker;

	other.client = &client;
	client.user = name;
	if (kind != WHO_USER) {
		if (!maker->sni_fails)
			other.tls_fails[0] = '\0'; /* such a certificate is what the handshake needs */
		other.identity = (struct ftp_identity){ .certificate = kind == WHO_CERTIFICATE,
							.user = name,
							.service = is_permitted(maker, name),
							.server_name = maker->identity.server_name };
	}
	add_client(&other, to, named ? kinds[kind].word : "others", named ? name : NULL,
		   kind == WHO_PRINCIPAL ? EXPLAIN_GSSAPI : EXPLAIN_PASSWORD);
	maker->failed |= other.failed;
}

/* Does an entry before this place name it, so that it has had its turn? */
static bool is_known(const struct ftp_action *ftp, enum who kind, size_t entry, size_t at)
{
	const char *name = list_of(&ftp->access[entry], kind)->names[at];

	for (size_t i = 0; i <= entry; i++) {
		const struct name_list *list = list_of(&ftp->access[i], kind);

		for (size_t j = 0; j < (i < entry ? list->n : at); j++)
			if (strcmp(list->names[j], name) == 0)
				return true;
	}
	return false;
}

/* Does any entry name this user? Case does not count, as in the machine. */
static bool is_named(const struct ftp_action *ftp, const char *user)
{
	for (size_t i = 0; i < ftp->naccess; i++)
		for (size_t j = 0; j < ftp->access[i].users.n; j++)
			if (strcasecmp(ftp->access[i].users.names[j], user) == 0)
				return true;
	return false;
}

static void add_all(struct explain_maker *maker, json_t *to, const struct ftp_action *ftp, enum who kind)
{
	for (size_t i = 0; i < ftp->naccess; i++) {
		const struct name_list *list = list_of(&ftp->access[i], kind);

		for (size_t j = 0; j < list->n; j++)
			if (strcmp(list->names[j], "*") != 0 && !is_known(ftp, kind, i, j))
				add_other(maker, to, kind, list->names[j], true);
	}
}

/* A user whom no entry names: with VERIFYUSER one of the policy, if there is one left. */
static void add_others(struct explain_maker *maker, json_t *to, const struct ftp_action *ftp)
{
	const struct name_list *permitted = maker->setup.permitted;
	char made_up[NAME_MAX_BYTES] = "me";
	const char *name = NULL;

	if (ftp->verifyuser) {
		for (size_t i = 0; i < permitted->n && name == NULL; i++)
			if (!is_named(ftp, permitted->names[i]))
				name = permitted->names[i];
	} else {
		for (size_t i = 1; is_named(ftp, made_up); i++)
			(void)snprintf(made_up, sizeof(made_up), "me%zu", i);
		name = made_up;
	}
	if (name != NULL)
		add_other(maker, to, WHO_USER, name, false);
}

json_t *explain_path(struct explain_maker *maker, const struct policy_rule *rule)
{
	const struct ftp_action *ftp = rule->ftp;
	json_t *to = json_object(), *list = json_array();

	explain_put(maker, to, "path", explain_text(maker->client->path));
	if (maker->client->user != NULL || maker->client->certificate != NULL) {
		add_client(maker, list, "client",
			   maker->client->user != NULL ? maker->client->user : maker->identity.user,
			   EXPLAIN_PASSWORD);
	} else {
		add_all(maker, list, ftp, WHO_USER);
		if (rule->tls != NULL && rule->tls->role == ROLE_SERVER_WITH_CLIENT_AUTH)
			add_all(maker, list, ftp, WHO_CERTIFICATE);
		if ((ftp->extensions & EXTENSION_AUTH_GSSAPI) != 0 && !maker->setup.implicit)
			add_all(maker, list, ftp, WHO_PRINCIPAL);
		add_others(maker, list, ftp);
	}
	explain_put(maker, to, "clients", list);
	return to;
}
