/*
 * The first policy of a server, from nothing: the questions, a look at the server, the text, the files, then
 * check and doctor. Nothing is written before the whole policy has been parsed.
 */
#include "gateway/ctl/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/init-look.h"
#include "gateway/ctl/init-questions.h"
#include "gateway/ctl/init-template.h"
#include "gateway/ctl/policy-commands.h"
#include "gateway/ctl/throwaway.h"
#include "gateway/ctl/usage.h"
#include "gateway/import/output.h"
#include "gateway/import/text.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/policy-check.h"

#define KEY_MODE    0600
#define FOLDER_MODE 0700

static const char throwaway_chain[] = "throwaway.pem", throwaway_key[] = "throwaway.key";

struct init {
	struct init_plan plan;
	const char *path;   /* of the policy */
	const char *folder; /* where it is, with a slash; "": here */
	bool force;
	bool works; /* the server, as it is now */
};

/* The files, in the order in which they appear. The policy comes last: it names the others. */
enum { FILE_KEY, FILE_CHAIN, FILE_POLICY, FILE_COUNT };

int init_command_check(const struct command_line *line)
{
	if (line->options[OPTION_THROWAWAY] != NULL &&
	    (line->options[OPTION_CERTIFICATE] != NULL || line->options[OPTION_KEY] != NULL))
		return usage_fault("either --certificate and --key, or --throwaway", "");
	if (line->options[OPTION_KEY] != NULL && line->options[OPTION_CERTIFICATE] == NULL)
		return usage_fault("--key needs --certificate", "");
	return 0;
}

/* Before the first question: nobody likes to answer ten of them for nothing. */
static int check_path(struct init *init)
{
	struct stat facts;

	if (init->force || lstat(init->path, &facts) == -1)
		return 0;
	(void)fprintf(stderr, "attlsctl: %s exists; --force replaces it, -o writes another\n", init->path);
	return -1;
}

static const char *in_folder(struct init *init, const char *name)
{
	return text_format(&init->plan.arena, "%s%s", init->folder, name);
}

/* The folder of the policy has private keys, so it is for its owner only. */
static int make_folder(const struct init *init)
{
	if (init->folder[0] == '\0' || mkdir(init->folder, FOLDER_MODE) == 0 || errno == EEXIST)
		return 0;
	(void)fprintf(stderr, "attlsctl: %s: %s\n", init->folder, strerror(errno));
	return -1;
}

/* Clients refuse a certificate without the name that they connect to. */
static void warn_of_names(const struct init *init, const struct policy *policy)
{
	struct certs *certs = NULL;
	struct diags diags;

	if (diags_init(&diags, "", NULL, 0) < 0)
		return;
	(void)certs_load(&policy->keyrings[0], NULL, &diags,
			 &certs); /* all of them have the same; a fault is reported */
	for (size_t i = 0; i < init->plan.nnames && certs != NULL; i++) {
		const char *name = init->plan.names[i];
		struct ip_addr addr;

		if (ip_addr_parse(name, strlen(name), &addr) < 0 && !certs_has_name(certs, name))
			(void)fprintf(stderr, "attlsctl: warning: %s is not for %s: clients will refuse it\n",
				      init->plan.certificate, name);
	}
	certs_free(&certs);
	diags_done(&diags);
}

/* All that can be wrong before the files exist: those of a throwaway certificate do not, yet. */
static int check_text(struct init *init, const char *text, size_t len)
{
	struct policy *policy = NULL;
	struct diags diags;
	int r;

	if (diags_init(&diags, init->path, text, len) < 0)
		return -1;
	r = policy_parse(text, len, init->folder, &diags, &policy);
	if (r == 0 && !init->plan.throwaway)
		r = policy_check_load(policy, &diags);
	if (r == 0 && !init->plan.throwaway)
		warn_of_names(init, policy);
	if (r < 0) {
		diags_print(&diags, stderr);
		(void)fputs("attlsctl: the policy of these answers has errors, so nothing is written\n",
			    stderr);
	}
	policy_free(&policy);
	diags_done(&diags);
	return r;
}

static int write_files(struct init *init, char *text, size_t len)
{
	struct throwaway made = { .certificate = NULL };
	struct output outputs[FILE_COUNT] = { [FILE_POLICY] = {
						  .path = init->path, .text = text, .len = len } };
	int r = 0;

	if (make_folder(init) < 0)
		return -1;
	if (!init->plan.throwaway)
		return output_write(&outputs[FILE_POLICY], 1, init->force);
	r = throwaway_make(init->plan.names, init->plan.nnames, &made);
	if (r < 0)
		(void)fputs("attlsctl: OpenSSL cannot make a certificate for these names\n", stderr);
	outputs[FILE_KEY] = (struct output){ .path = in_folder(init, throwaway_key),
					     .text = made.key,
					     .len = made.key_len,
					     .mode = KEY_MODE };
	outputs[FILE_CHAIN] = (struct output){ .path = in_folder(init, throwaway_chain),
					       .text = made.certificate,
					       .len = made.certificate_len };
	if (r == 0)
		r = output_write(outputs, FILE_COUNT, init->force);
	throwaway_done(&made);
	return r;
}

static int write_policy(struct init *init)
{
	size_t len = 0;
	char *text;
	int r;

	if (init->plan.throwaway) {
		init->plan.certificate = throwaway_chain;
		init->plan.key = throwaway_key;
	}
	text = init_template_write(&init->plan, &len);
	if (text == NULL)
		return -1;
	r = check_text(init, text, len);
	if (r == 0)
		r = write_files(init, text, len);
	free(text);
	return r;
}

static void print_next(struct init *init, bool works)
{
	bool is_default = strcmp(init->path, COMMAND_DEFAULT_POLICY) == 0;
	const char *port = strrchr(init->plan.port, ':');
	const char *file = is_default ? "" : text_format(&init->plan.arena, " -f %s", init->path);

	if (!works)
		(void)printf(
		    "\nThe policy is written. Fix each problem above, then look again:\n    attlsctl doctor%s\n",
		    file);
	(void)printf(is_default ? "\n%s:\n    systemctl enable --now attlsd\n" : "\n%s:\n    attlsd%s\n",
		     works ? "Next" : "After that", file);
	if (init->plan.throwaway)
		(void)printf("Then, on a client that has a copy of %s:\n"
			     "    curl --cacert %s --ssl-reqd --user NAME ftp://%s%s/\n",
			     in_folder(init, throwaway_chain), throwaway_chain, init->plan.names[0],
			     strcmp(port, ":21") == 0 ? "" : port);
}

/* Check and doctor print what they find. Returns the exit status of init. */
static int examine(struct init *init)
{
	int checked, found;

	(void)printf("\nattlsctl check:\n");
	(void)fflush(stdout); /* check prints warnings to stderr */
	checked = policy_command_check(init->path, NULL, false);
	(void)printf("\nattlsctl doctor:\n");
	found = policy_command_doctor(init->path, NULL, false);
	init->works = init->works && checked == EXIT_SUCCESS && found != EXIT_FAILURE;
	print_next(init, init->works);
	return init->works ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct init *init, const struct command_line *line)
{
	int status =
	    init_questions_answer(&init->plan, line, isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1);
	const char *wrong = status == 0 ? init_plan_check(&init->plan) : NULL;

	if (wrong != NULL)
		return usage_fault(wrong, "");
	if (status != 0)
		return status;
	(void)putchar('\n');
	init->works = init_look(&init->plan, stdout);
	(void)fflush(stdout); /* errors come after it */
	if (write_policy(init) < 0)
		return EXIT_FAILURE;
	(void)printf("\nWritten: %s%s\n", init->path,
		     init->plan.throwaway
			 ? ", and a throwaway certificate beside it, which expires after 30 days"
			 : "");
	return examine(init);
}

int init_command_run(const struct command_line *line)
{
	const char *output = line->options[OPTION_OUTPUT];
	struct init init = { .path = output != NULL ? output : COMMAND_DEFAULT_POLICY,
			     .force = line->options[OPTION_FORCE] != NULL };
	const char *slash = strrchr(init.path, '/');
	int status = EXIT_FAILURE;

	init.folder =
	    slash == NULL ? "" : text_copy(&init.plan.arena, init.path, (size_t)(slash + 1 - init.path));
	if (check_path(&init) == 0)
		status = run(&init, line);
	init_plan_done(&init.plan);
	return status;
}
