/*
 * Nothing can be opened once a worker has dropped its privileges, so it reads all files before that:
 * keys, the keytab, and what the policy names besides.
 */
#include "gateway/worker/worker-files.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/gssapi/link.h"
#include "gateway/host/banner.h"
#include "gateway/key/provider.h"
#include "gateway/tls/fips.h"
#include "gateway/tls/health-logins.h"
#include "gateway/tls/server-maps.h"
#include "gateway/tls/users.h"
#include "gateway/worker/context.h"

static int load_keys(struct worker *worker, const struct worker_setup *setup, struct diags *diags)
{
	int r = fips_check(&setup->policy->daemon, diags);
	struct tlsctx_keys keys = { .tickets = setup->tickets, .sets = setup->sets };
	struct ticket_seeds *tickets = setup->tickets;
	struct ticket_sets *sets = setup->sets;

	if (r == 0 && setup->key != -1)
		r = key_provider_open(setup->key, &worker->keys);
	if (worker->keys != NULL && policy_has_token_keys(setup->policy))
		key_provider_is_slow(worker->keys);
	keys.isolated = worker->keys != NULL;
	keys.provider = worker->keys;
	if (r == 0)
		r = tlsctx_set_load(setup->policy, &keys, diags, &worker->tlsctx);
	ticket_seeds_return(&tickets);
	ticket_sets_return(&sets);
	return r;
}

/* The keytab, if policy has one and no other process reads it. */
static int load_keytab(struct worker *worker, const struct worker_setup *setup)
{
	struct gssapi_acceptor *acceptor = NULL;
	char why[GSSAPI_WHY_MAX];
	int r = 0;

	if (!policy_offers_gssapi(setup->policy))
		return 0;
	if (setup->gssapi == -1)
		r = gssapi_acceptor_open(setup->policy->daemon.keytab, why, &acceptor);
	if (r < 0) /* the monitor has just read it, so it has changed since */
		log_event(LOG_LEVEL_ERROR, "keys-unreadable", LOG_TEXT("error", why));
	return r < 0 ? r : gssapi_link_open(setup->gssapi, acceptor, &worker->gssapi);
}

int worker_files_load(struct worker *worker, const struct worker_setup *setup)
{
	struct diags diags;
	int r = diags_init(&diags, "", NULL, 0);

	if (r < 0)
		return r;
	r = load_keys(worker, setup, &diags);
	if (r == 0)
		r = users_load(setup->policy, &diags, &worker->users);
	if (r == 0)
		r = health_logins_load(setup->policy, &diags, &worker->health_logins);
	if (r == 0)
		r = banners_load(setup->policy, &diags, &worker->banners);
	if (r == 0)
		r = server_maps_load(setup->policy, &diags, &worker->maps);
	if (r < 0) /* the monitor has just checked these files, so they have changed since */
		log_event(LOG_LEVEL_ERROR, "keys-unreadable",
			  LOG_TEXT("error", diags.nitems > 0 ? diags.items[0].message : strerror(-r)));
	diags_done(&diags);
	return r < 0 ? r : load_keytab(worker, setup);
}

void worker_files_free(struct worker *worker)
{
	tlsctx_set_free(&worker->tlsctx);
	key_provider_close(&worker->keys);
	users_free(&worker->users);
	health_logins_free(&worker->health_logins);
	gssapi_link_close(&worker->gssapi);
	banners_free(&worker->banners);
	server_maps_free(&worker->maps);
}
