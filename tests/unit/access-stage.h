/*
 * A session with `access`: a machine, the policy's entries as text, and the lines of client and
 * server. The client has logged in.
 */
#ifndef ATTLSD_TESTS_UNIT_ACCESS_STAGE_H
#define ATTLSD_TESTS_UNIT_ACCESS_STAGE_H

#include "ftp-alg/access.h"
#include "ftp-alg/machine.h"
#include "policy/policy.h"
#include "tests/unit/policy-text.h"

/* The entries go here. Line 1 of the policy has ftp_actions; entries stand from line 2 on. */
static const char stage_head[] =
    "ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear, "
    "unknown_commands: pass, login_delay: 0s, access: [\n";
static const char stage_tail[] =
    "] } }\nusers: { pat: { certificates: [ { sha256: "
    "\"0000000000000000000000000000000000000000000000000000000000000000\" } ] } }\n";

struct stage {
	struct parsed parsed;
	struct ftp_machine machine;
	struct ftp_access_state access;
	struct ftp_out out;
	struct ftp_reply_parser parser;
	char result[512];
};

static inline void stage_reply(struct stage *stage, const char *text)
{
	char line[2048];
	struct ftp_reply reply;
	int len = snprintf(line, sizeof(line), "%s\r\n", text);
	enum ftp_reply_status status = ftp_reply_take(&stage->parser, (uint8_t *)line, (size_t)len, &reply);

	assert_true(status == FTP_REPLY_END || status == FTP_REPLY_PART);
	ftp_out_reset(&stage->out);
	(void)ftp_machine_reply(&stage->machine, &reply, status == FTP_REPLY_END, &stage->out);
}

/* "server": it went on; "ask": PWD went on first; "refused why line". */
static inline const char *stage_command(struct stage *stage, const char *line, size_t len)
{
	enum ftp_take take;

	ftp_out_reset(&stage->out);
	take = ftp_machine_command(&stage->machine, line, len, &stage->out);
	(void)snprintf(stage->result, sizeof(stage->result), "%s", take == FTP_HOLD ? "hold" : "nothing");
	for (size_t i = 0; i < stage->out.n; i++) {
		const struct ftp_act *act = &stage->out.acts[i];

		if (act->what == FTP_DO_COMMAND && act->forwarded)
			(void)snprintf(stage->result, sizeof(stage->result), "server");
		else if (act->what == FTP_DO_COMMAND && take == FTP_HOLD)
			(void)snprintf(stage->result, sizeof(stage->result), "ask");
		else if (act->what == FTP_DO_REPLY && act->why != NULL)
			(void)snprintf(stage->result, sizeof(stage->result), "%s", act->why);
		else if (act->what == FTP_DO_REPLY)
			(void)snprintf(stage->result, sizeof(stage->result), "%.*s", (int)act->len,
				       act->text);
	}
	ftp_out_reset(&stage->out);
	return stage->result;
}

static inline const char *stage_line(struct stage *stage, const char *line)
{
	return stage_command(stage, line, strlen(line));
}

static inline struct stage *stage_begin(const char *entries, const char *user, const char *folder)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	char text[4096];
	struct ftp_machine_setup setup = { .modes = FTP_MODE_ALL, .command_line_max = 4000 };

	assert_non_null(stage);
	(void)snprintf(text, sizeof(text), "%s%s\n%s", stage_head, entries, stage_tail);
	parse_part(&stage->parsed, text);
	if (stage->parsed.policy == NULL)
		fail_msg("%s", stage->parsed.printed);
	setup.action = &stage->parsed.policy->ftp_actions[0];
	setup.access = &stage->access;
	ftp_machine_init(&stage->machine, &setup);
	stage_reply(stage, "220 hello");
	(void)snprintf(text, sizeof(text), "USER %s", user);
	(void)stage_line(stage, text);
	stage_reply(stage, "331 ok");
	(void)stage_line(stage, "PASS p");
	stage_reply(stage, "230 in");
	if (folder != NULL) {
		assert_string_equal(stage_line(stage, "PWD"), "server");
		stage_reply(stage, folder);
	}
	return stage;
}

static inline void stage_end(struct stage *stage)
{
	parsed_done(&stage->parsed);
	free(stage);
}

#endif
