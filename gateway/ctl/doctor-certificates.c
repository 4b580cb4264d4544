/*
 * Checks the certificates and private keys of the policy: can attlsd load them, are
 * they valid now, and who else can read a key?
 */
#include "gateway/ctl/doctor-certificates.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/ctl/doctor-report.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/policy-check.h"

#define DAYS_SOON 30

static void check_key_mode(struct doctor *doctor, const struct policy_certificate *certificate)
{
	struct stat st;

	if (stat(certificate->key, &st) == -1) {
		doctor_look(doctor, "ls -l '%s', as root", certificate->key);
		doctor_cannot_tell(doctor, "cannot see who can read the private key %s: %s", certificate->key,
				   strerror(errno));
	} else if ((st.st_mode & S_IROTH) != 0) {
		doctor_fix(doctor, "chmod o= '%s'", certificate->key);
		doctor_warning(doctor, "anybody on this host can read the private key %s", certificate->key);
	}
}

static void check_days(struct doctor *doctor, const struct policy_certificate *certificate, int64_t days)
{
	if (days < DAYS_SOON)
		doctor_fix(doctor, "renew %s, then: attlsctl check -f '%s' && systemctl reload attlsd",
			   certificate->chain, doctor->path);
	if (days < 0)
		doctor_problem(doctor, "the certificate in %s has expired", certificate->chain);
	else if (days < DAYS_SOON)
		doctor_warning(doctor, "the certificate in %s has %" PRId64 " day%s left", certificate->chain,
			       days, days == 1 ? "" : "s");
	else
		doctor_ok(doctor, "the certificate in %s has %" PRId64 " days left", certificate->chain,
			  days);
}

static void check_keyring(struct doctor *doctor, const struct policy_keyring *keyring)
{
	struct diags diags;
	struct certs *certs = NULL;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	if (certs_load(keyring, NULL, &diags, &certs) == 0)
		for (size_t i = 0; i < keyring->ncertificates; i++) {
			int64_t days;

			if (certs_days_left(certs, i, &days))
				check_days(doctor, &keyring->certificates[i], days);
			check_key_mode(doctor, &keyring->certificates[i]);
		}
	certs_free(&certs);
	diags_done(&diags);
}

/* As attlsd does it, so that nothing is ok here and refused there. */
static void check_load(struct doctor *doctor)
{
	struct diags diags;

	if (diags_init(&diags, doctor->path, NULL, 0) < 0)
		return;
	(void)policy_check_load(doctor->policy, &diags); /* each failure is in diags */
	for (size_t i = 0; i < diags.nitems; i++)
		if (diags.items[i].level == DIAG_ERROR) {
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
