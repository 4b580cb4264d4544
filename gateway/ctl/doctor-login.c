/*
 * Does somebody answer at the sockets of login_check, and can nobody else? It connects as attlsd
 * does, and asks nothing.
 */
#include "gateway/ctl/doctor-login.h"

#include "gateway/ctl/doctor-report.h"
#include "gateway/host/login-socket.h"

void doctor_check_login(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nftp_actions; i++) {
		const struct ftp_action *ftp = &doctor->policy->ftp_actions[i];
		char buf[LOGIN_SOCKET_WHY_MAX];
		const char *fault;

		if (ftp->login_check == NULL)
			continue;
		fault = login_socket_fault(ftp->login_check, buf);
		if (fault != NULL)
			doctor_problem(doctor, "ftp_actions \"%s\" lets nobody in: %s: %s", ftp->name,
				       ftp->login_check, fault);
		else
			doctor_ok(doctor, "ftp_actions \"%s\": somebody listens at %s", ftp->name,
				  ftp->login_check);
	}
}
