/*
 * Asks what `attlsctl init` has to know. A table has the questions in their order, each with its option,
 * its default and the reason for it, so that options and terminal cannot differ.
 */
#include "gateway/ctl/init-questions.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/usage.h"
#include "gateway/import/text.h"

#define ANSWER_MAX 1024

struct question {
	enum command_option option;
	const char *name;    /* of the option */
	const char *ask;     /* and why it matters */
	const char *initial; /* the default; NULL: it has none, or initial_of() knows it */
	const char *(*initial_of)(struct init_plan *plan);
	bool (*matters)(const struct init_plan *plan); /* NULL: always */
	bool needed;				       /* without a terminal, its option must be given */
	bool again;				       /* until the answer is empty */
	init_take_fn *take;
};

/* The name of this host with its domain, if the host knows it. */
static const char *own_name(struct init_plan *plan)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
	struct addrinfo *found = NULL;
	const char *name = "localhost";
	char host[256];

	if (gethostname(host, sizeof(host)) == -1)
		return name;
	host[sizeof(host) - 1] = '\0';
	name = text_copy(&plan->arena, host, strlen(host));
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return name;
	if (found->ai_canonname != NULL)
		name = text_copy(&plan->arena, found->ai_canonname, strlen(found->ai_canonname));
	freeaddrinfo(found);
	return name;
}

/* The key is often in the file of the certificate. */
static const char *certificate_of(struct init_plan *plan)
{
	return plan->certificate;
}

static bool has_certificate(const struct init_plan *plan)
{
	return !plan->throwaway;
}

/* The file of a certificate, or the word that stands for none. */
static const char *take_certificate(struct init_plan *plan, const char *text)
{
	if (strcmp(text, "throwaway") != 0)
		return init_take_certificate(plan, text);
	plan->throwaway = true;
	return NULL;
}

static const char *take_others(struct init_plan *plan, const char *text)
{
	if (!text_is_word(text, "y yes n no"))
		return "is neither yes nor no";
	plan->partners_only = text_is_word(text, "n no");
	return NULL;
}

static bool has_partners(const struct init_plan *plan)
{
	return plan->npartners > 0;
}

#define OPTION_OF(id, text) .option = OPTION_##id, .name = text

static const struct question questions[] = {
	{ OPTION_OF(BACKEND, "--backend"),
	  .ask =
	      "Where is your FTP server, HOST:PORT? attlsd connects to it in the clear, so no other host should reach it.",
	  .initial = "127.0.0.1:2021", .needed = true, .take = init_take_backend },
	{ OPTION_OF(NAME, "--name"),
	  .ask =
	      "Which host name do clients connect to? They refuse a certificate that does not have this name.",
	  .initial_of = own_name, .take = init_take_name },
	{ OPTION_OF(CERTIFICATE, "--certificate"),
	  .ask = "Which file has the certificate, with those of its issuers after it (PEM)? "
		 "throwaway: make one for a first try.",
	  .initial = "throwaway", .needed = true, .take = take_certificate },
	{ OPTION_OF(KEY, "--key"),
	  .ask = "Which file has its private key (PEM)? Only root should be able to read it.",
	  .initial_of = certificate_of, .matters = has_certificate, .take = init_take_key },
	{ OPTION_OF(PORT, "--port"),
	  .ask = "On which port do clients start TLS with AUTH TLS? Most use this one. PORT or ADDRESS:PORT.",
	  .initial = "21", .take = init_take_port },
	{ OPTION_OF(IMPLICIT_PORT, "--implicit-port"),
	  .ask = "On which port does TLS start at once (ftps://)? Old clients need it. none: on no port.",
	  .initial = "990", .take = init_take_implicit_port },
	{ OPTION_OF(PASSIVEDATAPORTS, "--passivedataports"),
	  .ask = "Which ports do clients use for files and listings? The firewall has to pass all of them.",
	  .initial = "61000-61100", .take = init_take_passivedataports },
	{ OPTION_OF(ADVERTISE, "--advertise"),
	  .ask =
	      "Which address do clients connect to, if a router translates it (NAT)? Without it, transfers hang. none: no NAT.",
	  .initial = "none", .take = init_take_advertise },
	{ OPTION_OF(PARTNER, "--partner"),
	  .ask =
	      "Does a partner need something else? NAME=NETWORK[,NETWORK...], and what it needs: ,certificates=FILE (it has\n"
	      "to show one of these authorities) ,ccc (a firewall reads its commands) ,clear (it has no TLS) ,zos (a mainframe).",
	  .initial = "", .again = true, .take = init_take_partner },
	{ OPTION_OF(PARTNERS_ONLY, "--partners-only"), .ask = "May other clients connect as well, under TLS?",
	  .initial = "yes", .matters = has_partners, .take = take_others },
};

static int refuse(const struct question *question, const char *text, const char *wrong)
{
	(void)fprintf(stderr, "attlsctl: %s: %s %s\n", question->name, text, wrong);
	return EXIT_USAGE;
}

static const char *default_of(struct init_plan *plan, const struct question *question)
{
	const char *text = question->initial_of != NULL ? question->initial_of(plan) : question->initial;

	return text != NULL ? text : "";
}

/* A line of the terminal, without blanks at its ends. Returns false at its end. */
static bool read_answer(char answer[static ANSWER_MAX])
{
	size_t len;

	if (fgets(answer, ANSWER_MAX, stdin) == NULL)
		return false;
	len = strlen(answer);
	while (len > 0 && strchr(" \t\r\n", answer[len - 1]) != NULL)
		answer[--len] = '\0';
	memmove(answer, answer + strspn(answer, " \t"), strlen(answer + strspn(answer, " \t")) + 1);
	return true;
}

/* Until there is an answer that the plan takes. */
static int ask(struct init_plan *plan, const struct question *question)
{
	const char *initial = default_of(plan, question);
	char answer[ANSWER_MAX];

	(void)printf("\n%s\n", question->ask);
	for (;;) {
		const char *given = answer, *wrong;

		(void)printf("%s [%s]: ", question->name + strlen("--"), initial);
		(void)fflush(stdout); /* a terminal that is gone shows as the end of input */
		if (!read_answer(answer)) {
			(void)fputs("\nattlsctl: no answer; nothing is written\n", stderr);
			return EXIT_FAILURE;
		}
		if (answer[0] == '\0' && initial[0] == '\0')
			return 0;
		if (answer[0] == '\0')
			given = initial;
		wrong = question->take(plan, given);
		if (wrong != NULL)
			(void)printf("  %s %s\n", given, wrong);
		else if (!question->again)
			return 0;
	}
}

/* All values of an option that may be repeated. Returns 0 or an exit status, and how many there were. */
static int take_repeated(struct init_plan *plan, const struct question *question,
			 const struct command_line *line, size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < line->nrepeated; i++) {
		const char *wrong;

		if (line->repeated[i].option != question->option)
			continue;
		wrong = question->take(plan, line->repeated[i].value);
		if (wrong != NULL)
			return refuse(question, line->repeated[i].value, wrong);
		++*ret_n;
	}
	return 0;
}

/* The option of a question, if it is given. --throwaway and --partners-only stand for an answer. */
static const char *option_of(const struct question *question, const struct command_line *line)
{
	if (question->option == OPTION_CERTIFICATE && line->options[OPTION_THROWAWAY] != NULL)
		return "throwaway";
	if (question->option == OPTION_PARTNERS_ONLY && line->options[OPTION_PARTNERS_ONLY] != NULL)
		return "no";
	return line->options[question->option];
}

static int answer(struct init_plan *plan, const struct question *question, const struct command_line *line,
		  bool terminal)
{
	const char *given = option_of(question, line), *wrong;
	size_t n = 0;
	int status = take_repeated(plan, question, line, &n);

	if (status != 0 || n > 0)
		return status;
	if (given == NULL && question->matters != NULL && !question->matters(plan))
		return 0;
	if (given == NULL && terminal)
		return ask(plan, question);
	if (given == NULL && (question->again || question->option == OPTION_NAME))
		return 0; /* init_plan_check() knows when a name is needed */
	if (given == NULL)
		given = default_of(plan, question);
	wrong = question->take(plan, given);
	return wrong != NULL ? refuse(question, given, wrong) : 0;
}

/* Nobody can be asked: all that is missing, at once. */
static int check_needed(const struct command_line *line)
{
	const char *missing[NELEM(questions)];
	size_t n = 0;

	for (size_t i = 0; i < NELEM(questions); i++)
		if (questions[i].needed && option_of(&questions[i], line) == NULL)
			missing[n++] = questions[i].option == OPTION_CERTIFICATE
					   ? "--certificate (or --throwaway)"
					   : questions[i].name;
	if (n == 0)
		return 0;
	(void)fputs("attlsctl: this is no terminal, so init cannot ask; give", stderr);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(stderr, "%s %s", i > 0 ? " and" : "", missing[i]);
	(void)fputc('\n', stderr);
	return EXIT_USAGE;
}

int init_questions_answer(struct init_plan *plan, const struct command_line *line, bool terminal)
{
	int status = terminal ? 0 : check_needed(line);

	for (size_t i = 0; i < NELEM(questions) && status == 0; i++)
		status = answer(plan, &questions[i], line, terminal);
	return status;
}
