/*
 * Checks the certificates and revocation lists of the policy at the start of a
 * generation and twice a day, and warns in the log.
 */
#include "gateway/worker/expiry.h"

#include <time.h>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/trust.h"
#include "gateway/worker/context.h"

#define LOOK_MS (12 * 60 * 60 * 1000)
#define HOUR_S	3600
#define DAY_S	(24 * HOUR_S)
#define LOOK_S	(LOOK_MS / 1000)

/* `position` 0 is the server's own certificate, which the log does not number. */
static void report_one(const struct policy_keyring *keyring, const struct policy_certificate *from,
		       size_t position, const struct certs_validity *validity)
{
	const struct log_field keyring_field = LOG_TEXT("keyring", keyring->name);
	const struct log_field chain_field = LOG_TEXT("chain", from->chain);
	struct log_field number = LOG_TEXT("", ""); /* left out */

	if (position > 0)
		number = (struct log_field)LOG_NUMBER("certificate", position + 1);
	if (validity->left_s <= 0)
		log_event(LOG_LEVEL_ERROR, "certificate-expired", keyring_field, chain_field, number);
	else if (validity->starts_s > 0)
		log_event(LOG_LEVEL_ERROR, "certificate-not-yet-valid", keyring_field, chain_field, number,
			  LOG_NUMBER("days", (uint64_t)validity->starts_s / DAY_S));
	else if (certs_expires_soon(validity))
		log_event(LOG_LEVEL_WARNING, "certificate-expires", keyring_field, chain_field, number,
			  LOG_NUMBER("days", (uint64_t)validity->left_s / DAY_S));
}

static void look_at_certificate(const struct policy_keyring *keyring, size_t index, const struct certs *certs)
{
	struct certs_validity validity;

	for (size_t position = 0; certs_validity(certs, index, position, &validity); position++)
		report_one(keyring, &keyring->certificates[index], position, &validity);
}

static void look_at_lists(const struct policy_keyring *keyring, const struct trust *trust)
{
	int64_t left_s;

	if (!trust_crl_left(trust, &left_s))
		return;
	if (left_s <= 0)
		log_event(LOG_LEVEL_ERROR, "crl-expired", LOG_TEXT("keyring", keyring->name),
			  LOG_TEXT("crl", keyring->crl));
	else if (left_s < LOOK_S) /* it expires before the next check */
		log_event(LOG_LEVEL_WARNING, "crl-expires", LOG_TEXT("keyring", keyring->name),
			  LOG_TEXT("crl", keyring->crl), LOG_NUMBER("hours", (uint64_t)left_s / HOUR_S));
}

static void look(const struct worker *worker)
{
	const struct policy *policy = worker->policy;

	for (size_t i = 0; i < policy->nkeyrings; i++) {
		const struct policy_keyring *keyring = &policy->keyrings[i];

		for (size_t j = 0; j < keyring->ncertificates; j++)
			look_at_certificate(keyring, j, tlsctx_set_certs(worker->tlsctx, i));
		look_at_lists(keyring, tlsctx_set_trust(worker->tlsctx, i));
	}
}

/* The first end in the chain of a certificate; 0: it was not loaded. */
static uint64_t chain_ends(const struct certs *certs, size_t index, int64_t now_s)
{
	struct certs_validity validity;
	int64_t first_s = INT64_MAX;

	for (size_t position = 0; certs_validity(certs, index, position, &validity); position++)
		if (validity.left_s < first_s)
			first_s = validity.left_s;
	return first_s == INT64_MAX || now_s + first_s < 0 ? 0 : (uint64_t)(now_s + first_s);
}

void expiry_publish(const struct worker *worker)
{
	const struct policy *policy = worker->policy;
	int64_t now_s = (int64_t)time(NULL), left_s;
	size_t index = 0;

	for (size_t i = 0; i < policy->nkeyrings && i < COUNT_NAMES_OTHER; i++) {
		const struct certs *certs = tlsctx_set_certs(worker->tlsctx, i);

		for (size_t j = 0; j < policy->keyrings[i].ncertificates && index < COUNT_NAMES_OTHER;
		     j++, index++) {
			count_write(count_page, COUNT_AT_CERTIFICATE_EXPIRY + index,
				    chain_ends(certs, j, now_s));
			count_write(count_page, COUNT_AT_OCSP_EXPIRY + index,
				    (uint64_t)certs_ocsp_until(certs, j));
		}
		if (trust_crl_left(tlsctx_set_trust(worker->tlsctx, i), &left_s) && now_s + left_s > 0)
			count_write(count_page, COUNT_AT_CRL_EXPIRY + i, (uint64_t)(now_s + left_s));
	}
}

static void on_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, expiry_timer);

	if (worker->retired)
		return; /* a worker of the newer policy checks */
	look(worker);
	/* cannot fail: the timer has just left the heap, so there is room */
	(void)loop_timer(&worker->loop, timer, LOOK_MS);
}

void expiry_start(struct worker *worker)
{
	timer_init(&worker->expiry_timer, on_timer);
	look(worker);
	(void)loop_timer(&worker->loop, &worker->expiry_timer, LOOK_MS);
}
