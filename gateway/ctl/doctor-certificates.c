/*
 * Checks the certificates and private keys of the policy: can attlsd load them, are
 * they valid now, and who else can read a key?
 */
#include "gateway/ctl/doctor-certificates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/ctl/doctor-report.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/policy-check.h"

#define DAY_S (24 * 60 * 60)

static void check_key_mode(struct doctor *doctor, const struct policy_certificate *certificate)
{
	struct stat st;

	if (policy_key_is_in_token(certificate))
		return;
	if (stat(certificate->key, &st) == -1) {
		doctor_look(doctor, "ls -l '%s', as root", certificate->key);
		doctor_cannot_tell(doctor, "cannot see who can read the private key %s: %s", certificate->key,
				   strerror(errno));
	} else if ((st.st_mode & S_IROTH) != 0) {
		doctor_fix(doctor, "chmod o= '%s'", certificate->key);
		doctor_warning(doctor, "anybody on this host can read the private key %s", certificate->key);
	}
}

/* The certificate of the server, or an issuer that follows it in the file, which clients get as well. */
static void check_dates(struct doctor *doctor, const struct policy_certificate *certificate, size_t position,
			const struct certs_validity *validity)
{
	int64_t days = validity->left_s / DAY_S, waits = validity->starts_s / DAY_S + 1;
	char name[DOCTOR_TEXT_MAX / 2];

	if (position == 0)
		(void)snprintf(name, sizeof(name), "the certificate in %s", certificate->chain);
	else
		(void)snprintf(name, sizeof(name), "certificate %zu in %s", position + 1, certificate->chain);
	if (validity->left_s <= 0 || certs_expires_soon(validity))
		doctor_fix(doctor, "renew %s, then: attlsctl check -f '%s' && systemctl reload attlsd",
			   certificate->chain, doctor->path);
	if (validity->left_s <= 0) {
		doctor_problem(doctor, "%s has expired", name);
	} else if (validity->starts_s > 0) {
		doctor_fix(doctor,
			   "set the clock of this host (date), or use a certificate that is valid now");
		doctor_problem(doctor, "%s is not valid yet, but in %" PRId64 " day%s", name, waits,
			       waits == 1 ? "" : "s");
	} else if (certs_expires_soon(validity)) {
		doctor_warning(doctor, "%s has %" PRId64 " day%s left", name, days, days == 1 ? "" : "s");
	} else {
		doctor_ok(doctor, "%s has %" PRId64 " day%s left", name, days, days == 1 ? "" : "s");
	}
}

static void check_keyring(struct doctor *doctor, const struct policy_keyring *keyring)
{
	struct diags diags;
	struct certs *certs = NULL;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	if (certs_load(keyring, NULL, &diags, &certs) == 0)
		for (size_t i = 0; i < keyring->ncertificates; i++) {
			struct certs_validity validity;

			for (size_t position = 0; certs_validity(certs, i, position, &validity); position++)
				check_dates(doctor, &keyring->certificates[i], position, &validity);
			check_key_mode(doctor, &keyring->certificates[i]);
		}
	certs_free(&certs);
	diags_done(&diags);
}

/* As attlsd does it, so that nothing is ok here and refused there. doctor-tickets.c has the files of tickets.
 */
static void check_load(struct doctor *doctor)
{
	struct diags diags;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	(void)policy_check_load(doctor->policy, &diags); /* each failure is in diags */
	for (size_t i = 0; i < diags.nitems; i++)
		if (diags.items[i].level == DIAG_ERROR && diags.items[i].code != DIAG_BAD_TICKET_FILE) {
			doctor_fix(doctor, "attlsctl check -f '%s'", doctor->path);
			doctor_problem(doctor, "%s", diags.items[i].message);
		}
	diags_done(&diags);
}

void doctor_check_certificates(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nkeyrings; i++)
		check_keyring(doctor, &doctor->policy->keyrings[i]);
	check_load(doctor);
}
