/*
 * Checks whether attlsd can serve a policy: it loads certificates, keys, users and
 * names as a worker would.
 */
#include "gateway/tls/policy-check.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/gssapi/acceptor.h"
#include "gateway/host/audit-open.h"
#include "gateway/host/banner.h"
#include "gateway/host/control-group.h"
#include "gateway/host/http-token.h"
#include "gateway/host/login-socket.h"
#include "gateway/host/owned-file.h"
#include "gateway/host/policy-file.h"
#include "gateway/tls/fips.h"
#include "gateway/tls/health-logins.h"
#include "gateway/tls/server-maps.h"
#include "gateway/tls/ticket-secrets.h"
#include "gateway/tls/tlsctx.h"
#include "gateway/tls/token.h"
#include "gateway/tls/users.h"

/* What the HTTP process reads when it starts. */
static int check_http(const struct policy *policy, struct diags *diags)
{
	const struct policy_http *http = &policy->daemon.http;
	char token[HTTP_TOKEN_MAX + 1], why[HTTP_TOKEN_WHY_MAX];
	int r = 0;

	if (http->token_file != NULL)
		r = http_token_read(http->token_file, token, why);
	if (r < 0) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_TOKEN_FILE, http->token_file_mark,
			  "cannot use the token file \"%s\": %s", http->token_file, why);
		diags_see(diags, http->token_file, (struct diag_mark){ 0 }, "the token");
	}
	explicit_bzero(token, sizeof(token));
	return r < 0 ? -EINVAL : 0;
}

static int check_tickets(const struct policy *policy, struct diags *diags)
{
	struct ticket_secrets *secrets = NULL;
	int r = ticket_secrets_load(policy, diags, &secrets);

	ticket_secrets_free(&secrets);
	return r;
}

static int check_banners(const struct policy *policy, struct diags *diags)
{
	struct banners *banners = NULL;
	int r = banners_load(policy, diags, &banners);

	banners_free(&banners);
	return r;
}

static int check_logins(const struct policy *policy, struct diags *diags)
{
	struct health_logins *logins = NULL;
	int r = health_logins_load(policy, diags, &logins);

	health_logins_free(&logins);
	return r;
}

/* set: NULL if it could not be loaded. */
static int check_maps(const struct policy *policy, const struct tlsctx_set *set, struct diags *diags)
{
	struct server_maps *maps = NULL;
	size_t errors = diags->nerrors;
	int r = server_maps_load(policy, diags, &maps);

	if (r == 0 && set != NULL)
		server_maps_check(maps, policy, set, diags);
	server_maps_free(&maps);
	return r < 0 || diags->nerrors > errors ? -EINVAL : 0;
}

/* Whoever can read it can forge tickets. As with password files, this is no reason to refuse. */
static void warn_keytab(const struct policy_daemon *daemon, struct diags *diags)
{
	char why[OWNED_FILE_WHY_MAX];
	struct stat st;
	int fd = owned_file_open(daemon->keytab, OWNED_FILE_NO_ACCESS, &st, why);

	if (fd >= 0 && why[0] != '\0')
		diags_add(diags, DIAG_WARNING, DIAG_BAD_KEYTAB, daemon->keytab_mark,
			  "the keytab \"%s\" is not secret: %s", daemon->keytab, why);
	fd_close(&fd);
}

/* What the acceptor reads when it starts. */
static int check_keytab(const struct policy *policy, struct diags *diags)
{
	struct gssapi_acceptor *acceptor = NULL;
	char why[GSSAPI_WHY_MAX];
	int r = 0;

	if (policy_offers_gssapi(policy) && policy->daemon.keytab != NULL)
		r = gssapi_acceptor_open(policy->daemon.keytab, why, &acceptor);
	if (r < 0)
		diags_add(diags, DIAG_ERROR, DIAG_BAD_KEYTAB, policy->daemon.keytab_mark,
			  "cannot use the keytab \"%s\": %s", policy->daemon.keytab, why);
	else if (acceptor != NULL)
		warn_keytab(&policy->daemon, diags);
	gssapi_acceptor_close(&acceptor);
	return r < 0 ? -EINVAL : 0;
}

int policy_check_load(const struct policy *policy, struct diags *diags)
{
	struct tlsctx_set *set = NULL;
	struct users *users = NULL;
	size_t before = diags->nerrors;
	const struct tlsctx_keys keys = { .isolated = policy_isolates_keys(policy, geteuid() == 0) };
	int r = fips_check(&policy->daemon, diags);

	if (r == 0)
		r = tlsctx_set_load(policy, &keys, diags, &set);
	if (r == 0 || r == -EINVAL) {
		int more = users_load(policy, diags, &users);
		size_t errors = diags->nerrors;

		if (r == 0 && more == 0)
			users_check(users, set, diags);
		r = r < 0 ? r : more;
		if (r == 0 && diags->nerrors > errors)
			r = -EINVAL;
	}
	users_free(&users);
	if (check_maps(policy, set, diags) < 0 && r == 0)
		r = -EINVAL;
	tlsctx_set_free(&set);
	if (r == 0)
		r = token_check(policy, diags);
	if (check_tickets(policy, diags) < 0 && r == 0)
		r = -EINVAL;
	if (check_logins(policy, diags) < 0 && r == 0)
		r = -EINVAL;
	if (check_banners(policy, diags) < 0 && r == 0)
		r = -EINVAL;
	if (check_http(policy, diags) < 0 && r == 0)
		r = -EINVAL;
	login_socket_check(policy, diags); /* the program that answers may start later */
	if (check_keytab(policy, diags) < 0 && r == 0)
		r = -EINVAL;
	if (r < 0 &&
	    diags->nerrors == before) /* no other message says why, and an exit status alone does not help */
		diags_add(diags, DIAG_ERROR, DIAG_LOAD_FAILED, (struct diag_mark){ 0 },
			  "cannot load the certificates, keys and users: %s", strerror(-r));
	return r;
}

/* Only a start by root makes use of it, and would fail. */
static int check_user(const struct policy *policy, struct diags *diags)
{
	if (geteuid() != 0 || !policy->daemon.user_given || getpwnam(policy->daemon.user) != NULL)
		return 0;
	diags_add(diags, DIAG_ERROR, DIAG_UNKNOWN_USER, policy->daemon.user_mark,
		  "there is no user \"%s\" on this host; create it with: useradd --system "
		  "--no-create-home --shell /usr/sbin/nologin %s",
		  policy->daemon.user, policy->daemon.user);
	return -EINVAL;
}

/* The same of the group. */
static int check_group(const struct policy *policy, struct diags *diags)
{
	unsigned gid;
	int r = geteuid() == 0 ? control_group_find(&policy->daemon, diags, &gid) : 0;

	return r < 0 ? -EINVAL : 0;
}

int policy_check(const char *path, const char *own, struct diags *diags)
{
	struct policy *policy = NULL;
	int r = policy_file_load(path, own, diags, &policy);

	if (r == 0) {
		int more = policy_check_load(policy, diags);
		int group = check_group(policy, diags);

		r = check_user(policy, diags);
		r = r < 0 ? r : group < 0 ? group : more;
		more = audit_open_check(&policy->daemon, diags);
		r = r < 0 ? r : more;
	}
	policy_free(&policy);
	return r;
}
