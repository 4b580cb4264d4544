/*
 * Side commands, see side-reply.h. The table below is the model: for each class of
 * reply and each stage of the transfer, it lists the commands that the reply may
 * answer, most likely first. docs/ARCHITECTURE.md explains the same table.
 */
#include "ftp-alg/side-reply.h"

#include <assert.h>
#include <string.h>

#include "ftp-alg/plan.h"
#include "ftp-alg/urgent.h"

/* Reply codes that mean the same here. */
enum reply_class {
	CLASS_MARK,    /* 1yz */
	CLASS_OK,      /* 200: the answer to NOOP */
	CLASS_STATUS,  /* 211, 212, 213: the answer to STAT */
	CLASS_ABORTED, /* 225: an answer to ABOR only */
	CLASS_DONE,    /* 226, 250 and any other 2yz: success of a transfer or of ABOR */
	CLASS_BROKEN,  /* 425, 426, 451, 551, 552: failure of a transfer that has begun (RFC 959 5.4) */
	CLASS_UNKNOWN, /* 500, 502: the server does not know the command */
	CLASS_REFUSED, /* any other 4yz or 5yz: refusal of a command */
	CLASSES
};

enum stage {
	STAGE_ASKED, /* no 1yz has come: most servers still answer in order */
	STAGE_BEGUN, /* the 1yz has come */
	STAGE_ENDED, /* the transfer's last reply has come; side commands are still unanswered */
	STAGES
};

/*
 * Each letter names a candidate. The reply answers the first one that exists:
 *   n, s, a  the oldest unanswered NOOP, STAT or ABOR
 *   k        the oldest unanswered NOOP or STAT (keep-alive)
 *   f        the oldest unanswered side command (first)
 *   t        the transfer command
 *   x        no command: the client gets the reply, and nothing else changes
 * If no candidate exists, the reply answers no command.
 */
static const char *const order[CLASSES][STAGES] = {
	[CLASS_MARK] = { "t", "t", "x" },
	/* several servers send 200 before 150; clients still wait for the 150 (CPython's ftplib) */
	[CLASS_OK] = { "nx", "nsat", "nsax" },
	[CLASS_STATUS] = { "sx", "sx", "sx" },
	[CLASS_ABORTED] = { "at", "at", "ax" },
	[CLASS_DONE] = { "t", "t", "ax" },
	[CLASS_BROKEN] = { "t", "t", "af" },
	/* some servers refuse an unknown NOOP before they answer the transfer command sent before it */
	[CLASS_UNKNOWN] = { "ft", "ft", "f" },
	/* a server refuses ABOR only as an unknown command (RFC 959 5.4) */
	[CLASS_REFUSED] = { "t", "kt", "f" },
};

static enum reply_class class_of(uint16_t code)
{
	switch (code) {
	case 200:
		return CLASS_OK;
	case 211:
	case 212:
	case 213:
		return CLASS_STATUS;
	case 225:
		return CLASS_ABORTED;
	case 425:
	case 426:
	case 451:
	case 551:
	case 552:
		return CLASS_BROKEN;
	case 500:
	case 502:
		return CLASS_UNKNOWN;
	default:
		break;
	}
	if (ftp_reply_is_preliminary(code))
		return CLASS_MARK;
	return ftp_reply_is_positive(code) ? CLASS_DONE : CLASS_REFUSED;
}

static const struct {
	enum ftp_pending pending; /* selects the filter for the answer's lines */
	const char *name;	  /* for the log */
} kinds[FTP_SIDE_REPLY_KINDS] = {
	[FTP_SIDE_REPLY_NOOP] = { FTP_PENDING_PLAIN, "NOOP" },
	[FTP_SIDE_REPLY_STAT] = { FTP_PENDING_STAT, "STAT" },
	[FTP_SIDE_REPLY_ABOR] = { FTP_PENDING_PLAIN, "ABOR" },
	[FTP_SIDE_REPLY_TRANSFER] = { FTP_PENDING_TRANSFER, "transfer" },
};

static enum ftp_side_reply kind_of(const struct ftp_verb *verb)
{
	switch (verb->kind) {
	case FTP_KIND_STAT:
		return FTP_SIDE_REPLY_STAT;
	case FTP_KIND_ABOR:
		return FTP_SIDE_REPLY_ABOR;
	default: /* Breaks rule 11: only these three verbs can be side commands. */
		return FTP_SIDE_REPLY_NOOP;
	}
}

static bool has_begun(const struct ftp_machine *machine)
{
	return machine->transfer == FTP_TRANSFER_GOING || machine->transfer == FTP_TRANSFER_OVER;
}

static enum stage stage_of(const struct ftp_machine *machine)
{
	if (has_begun(machine))
		return STAGE_BEGUN;
	return ftp_machine_in_transfer(machine) ? STAGE_ASKED : STAGE_ENDED;
}

static size_t find(const struct ftp_side_replies *side, enum ftp_side_reply kind)
{
	size_t run = 0;

	while (run < side->nruns && side->runs[run].kind != kind)
		run++;
	return run;
}

/* Does one more of this kind fit into the newest run? */
static bool fits_newest(const struct ftp_side_replies *side, enum ftp_side_reply kind)
{
	const struct ftp_side_run *newest = side->nruns > 0 ? &side->runs[side->nruns - 1] : NULL;

	return newest != NULL && newest->kind == kind && newest->n < UINT16_MAX;
}

static size_t find_keep_alive(const struct ftp_side_replies *side)
{
	size_t noop = find(side, FTP_SIDE_REPLY_NOOP);
	size_t stat = find(side, FTP_SIDE_REPLY_STAT);

	return noop < stat ? noop : stat;
}

bool machine_side_has_room(const struct ftp_machine *machine, const struct ftp_verb *verb)
{
	enum ftp_side_reply kind = kind_of(verb);
	/* one place is reserved, so that ABOR never waits for an answer */
	size_t kept = kind == FTP_SIDE_REPLY_ABOR ? 0 : 1;

	return fits_newest(&machine->side, kind) || machine->side.nruns < FTP_SIDE_RUNS - kept;
}

static void owe(struct ftp_side_replies *side, enum ftp_side_reply kind)
{
	if (!fits_newest(side, kind)) {
		assert(side->nruns < FTP_SIDE_RUNS);
		side->runs[side->nruns++] = (struct ftp_side_run){ .kind = kind };
	}
	side->runs[side->nruns - 1].n++;
}

static void settle(struct ftp_side_replies *side, size_t run)
{
	assert(run < side->nruns);
	if (--side->runs[run].n > 0)
		return;
	side->nruns--;
	memmove(&side->runs[run], &side->runs[run + 1], (side->nruns - run) * sizeof(side->runs[0]));
}

static void wait(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->side.due = false;
	machine->side.waiting = true;
	ftp_out_add(out, FTP_DO_SIDE_WAIT)->number = machine->side_reply_ms;
}

void machine_side_send(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	struct ftp_act *act = ftp_out_text(out, FTP_DO_COMMAND, command->line, command->len);

	act->forwarded = true;
	act->urgent = kind_of(command->verb) == FTP_SIDE_REPLY_ABOR && machine_urgent_abor(machine);
	owe(&machine->side, kind_of(command->verb));
	/*
	 * Many servers read the control connection only after the transfer, or on TCP
	 * urgent data, which TLS cannot carry. So the wait for ABOR needs a limit, too.
	 */
	if (kind_of(command->verb) == FTP_SIDE_REPLY_ABOR && !machine->side.waiting)
		wait(machine, out);
}

/*
 * Is this a late answer to a command that the gateway no longer waits for? Only
 * if the code cannot answer the command that is pending now.
 */
static bool is_late(const struct ftp_machine *machine, enum ftp_side_reply kind, uint16_t code)
{
	enum reply_class class = class_of(code);
	enum ftp_pending pending = machine->pending;
	bool plan = pending == FTP_PENDING_PLAN;
	bool passive = (machine->server_mode & (FTP_MODE_EPSV | FTP_MODE_PASV)) != 0;
	bool free = pending == FTP_PENDING_NONE;

	if (machine->side.late[kind] == 0)
		return false;
	/* an unanswered command of this kind comes first: the next command waits for its answer */
	if (find(&machine->side, kind) < machine->side.nruns)
		return false;
	/* a refusal cannot answer a transfer command after its 1yz */
	if (class == CLASS_REFUSED || class == CLASS_UNKNOWN)
		return kind != FTP_SIDE_REPLY_TRANSFER && machine->side.nruns == 0 &&
		       (free || has_begun(machine));
	switch (kind) {
	case FTP_SIDE_REPLY_NOOP:
		return class == CLASS_OK && (free || (plan && passive));
	case FTP_SIDE_REPLY_STAT:
		return class == CLASS_STATUS && (free || plan || pending == FTP_PENDING_TRANSFER);
	case FTP_SIDE_REPLY_ABOR:
		if (pending == FTP_PENDING_ABOR || (code == 226 && pending == FTP_PENDING_TRANSFER))
			return false;
		return class == CLASS_ABORTED || code == 226;
	case FTP_SIDE_REPLY_TRANSFER:
		if (free)
			return class == CLASS_DONE || class == CLASS_BROKEN;
		/* RFC 959 5.4: no other command gets these replies */
		return pending != FTP_PENDING_TRANSFER &&
		       (code == 426 || (code == 226 && pending != FTP_PENDING_ABOR));
	case FTP_SIDE_REPLY_KINDS:
		break;
	}
	return false;
}

static struct ftp_answer owed_one(const struct ftp_machine *machine, const char *ask)
{
	const struct ftp_side_replies *side = &machine->side;
	size_t run = side->nruns;

	for (; *ask != '\0' && run == side->nruns; ask++) {
		switch (*ask) {
		case 'n':
			run = find(side, FTP_SIDE_REPLY_NOOP);
			break;
		case 's':
			run = find(side, FTP_SIDE_REPLY_STAT);
			break;
		case 'a':
			run = find(side, FTP_SIDE_REPLY_ABOR);
			break;
		case 'k':
			run = find_keep_alive(side);
			break;
		case 'f':
			run = 0;
			break;
		case 't':
			return (struct ftp_answer){ FTP_ANSWERS_PENDING, FTP_SIDE_REPLY_KINDS };
		default: /* x */
			return (struct ftp_answer){ FTP_ANSWERS_NOBODY, FTP_SIDE_REPLY_KINDS };
		}
	}
	if (run == side->nruns)
		return (struct ftp_answer){ FTP_ANSWERS_NOBODY, FTP_SIDE_REPLY_KINDS };
	return (struct ftp_answer){ FTP_ANSWERS_SIDE, side->runs[run].kind };
}

/* Is this 2yz the answer to ABOR? Yes, if the transfer has probably had its last reply. */
static bool is_abors_success(const struct ftp_machine *machine, uint16_t code)
{
	return class_of(code) == CLASS_DONE && machine->transfer == FTP_TRANSFER_OVER &&
	       machine->side.doubt == FTP_SIDE_DOUBT_STRONG &&
	       find(&machine->side, FTP_SIDE_REPLY_ABOR) < machine->side.nruns;
}

struct ftp_answer machine_side_whose(const struct ftp_machine *machine, uint16_t code)
{
	bool beside = machine->pending == FTP_PENDING_TRANSFER ||
		      (machine->pending == FTP_PENDING_NONE && machine->side.nruns > 0);
	bool free = !beside && machine->pending == FTP_PENDING_NONE;

	/* the transfer comes first: if it failed, the client must not see a late 226 */
	if (is_late(machine, FTP_SIDE_REPLY_TRANSFER, code))
		return (struct ftp_answer){ FTP_ANSWERS_LATE, FTP_SIDE_REPLY_TRANSFER };
	for (enum ftp_side_reply kind = 0; kind < FTP_SIDE_REPLY_KINDS; kind++)
		if (is_late(machine, kind, code))
			return (struct ftp_answer){ FTP_ANSWERS_LATE, kind };
	/* no command waits for this: an earlier late answer was matched to a later command */
	for (enum ftp_side_reply kind = 0; kind < FTP_SIDE_REPLY_KINDS; kind++)
		if (free && machine->side.late[kind] > 0)
			return (struct ftp_answer){ FTP_ANSWERS_LATE, kind };
	if (is_abors_success(machine, code))
		return (struct ftp_answer){ FTP_ANSWERS_SIDE, FTP_SIDE_REPLY_ABOR };
	if (beside)
		return owed_one(machine, order[class_of(code)][stage_of(machine)]);
	return (struct ftp_answer){ FTP_ANSWERS_PENDING, FTP_SIDE_REPLY_KINDS };
}

enum ftp_pending machine_side_shown_as(const struct ftp_machine *machine, uint16_t code)
{
	switch (machine->answer.whom) {
	case FTP_ANSWERS_PENDING:
		return machine->pending;
	case FTP_ANSWERS_NOBODY:
		return class_of(code) == CLASS_STATUS ? FTP_PENDING_STAT : FTP_PENDING_PLAIN;
	case FTP_ANSWERS_SIDE:
	case FTP_ANSWERS_LATE:
		break;
	}
	return kinds[machine->answer.kind].pending;
}

static void doubt(struct ftp_side_replies *side, enum ftp_side_doubt doubt)
{
	if (side->doubt < doubt)
		side->doubt = doubt;
}

/* ABOR has its answer, but the transfer does not: will another reply come? */
static void abor_answered(struct ftp_machine *machine, uint16_t code, struct ftp_out *out)
{
	if (!ftp_machine_in_transfer(machine))
		return;
	/* pyftpdlib sends 225 as its only reply to an upload and its ABOR */
	if (code == 225 || (machine->side.doubt == FTP_SIDE_DOUBT_STRONG && ftp_reply_is_positive(code)))
		doubt(&machine->side, FTP_SIDE_DOUBT_CERTAIN);
	else if (ftp_reply_is_positive(code))
		doubt(&machine->side, FTP_SIDE_DOUBT_ABORTED);
	else if (code >= 500 && !machine_side_is_aborting(machine))
		ftp_out_add(out, FTP_DO_DATA_TRUST); /* the transfer continues as if there had been no ABOR */
}

void machine_side_answered(struct ftp_machine *machine, uint16_t code, struct ftp_out *out)
{
	struct ftp_side_replies *side = &machine->side;
	struct ftp_answer answer = machine->answer;

	switch (answer.whom) {
	case FTP_ANSWERS_PENDING:
		return;
	case FTP_ANSWERS_NOBODY:
		/* this 200 precedes the 150, or it is the only reply to the transfer */
		if (machine->transfer == FTP_TRANSFER_ASKED && ftp_reply_is_positive(code))
			doubt(side, FTP_SIDE_DOUBT_STRONG);
		return;
	case FTP_ANSWERS_LATE:
		side->late[answer.kind]--;
		break;
	case FTP_ANSWERS_SIDE:
		settle(side, find(side, answer.kind));
		break;
	}
	/* this refusal may have been the transfer's own last reply */
	if (ftp_machine_in_transfer(machine) && code >= 400)
		doubt(side, FTP_SIDE_DOUBT_WEAK);
	if (answer.whom == FTP_ANSWERS_SIDE && answer.kind == FTP_SIDE_REPLY_ABOR)
		abor_answered(machine, code, out);
}

void machine_side_transfer_begins(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->side.doubt = FTP_SIDE_DOUBT_NONE;
	machine->failing = machine->agreed = false;
	if (machine_side_is_aborting(machine) && !machine->side.waiting)
		wait(machine, out);
}

void machine_side_transfer_marked(struct ftp_machine *machine)
{
	doubt(&machine->side, FTP_SIDE_DOUBT_STRONG);
}

void machine_side_transfer_fails(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->failing = true;
	ftp_out_add(out, FTP_DO_DATA_FAILED);
	if (!machine->side.waiting)
		wait(machine, out);
}

void machine_side_transfer_ended(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->side.doubt = FTP_SIDE_DOUBT_NONE;
	machine->side.waiting = false;
	if (machine->side.nruns > 0)
		wait(machine, out);
}

bool machine_side_is_aborting(const struct ftp_machine *machine)
{
	return find(&machine->side, FTP_SIDE_REPLY_ABOR) < machine->side.nruns ||
	       machine->side.doubt >= FTP_SIDE_DOUBT_ABORTED;
}

bool machine_side_holds(const struct ftp_machine *machine)
{
	return machine->side.nruns > 0 && !machine->side.due;
}

/* May the transfer have ended for the server, although its last reply seems to be missing? */
static bool is_doubtful(const struct ftp_machine *machine)
{
	bool asked = machine->transfer == FTP_TRANSFER_ASKED;
	bool over = machine->transfer == FTP_TRANSFER_OVER;

	switch (machine->side.doubt) {
	case FTP_SIDE_DOUBT_NONE:
		break;
	case FTP_SIDE_DOUBT_WEAK:
		return over;
	case FTP_SIDE_DOUBT_STRONG:
		return asked || over;
	case FTP_SIDE_DOUBT_ABORTED:
	case FTP_SIDE_DOUBT_CERTAIN:
		return asked || over || machine->transfer == FTP_TRANSFER_GOING;
	}
	return false;
}

/* The gateway stops waiting, but `n` answers may still come. */
static void expect_late(struct ftp_side_replies *side, enum ftp_side_reply kind, uint16_t n)
{
	uint16_t *late = &side->late[kind];

	*late = n < UINT16_MAX - *late ? (uint16_t)(*late + n) : UINT16_MAX;
}

static void log_unanswered(enum ftp_side_reply kind, struct ftp_out *out)
{
	ftp_out_text(out, FTP_DO_LOG_UNANSWERED, kinds[kind].name, strlen(kinds[kind].name));
}

void machine_side_stop_waiting(struct ftp_machine *machine, struct ftp_out *out)
{
	struct ftp_side_replies *side = &machine->side;

	for (enum ftp_side_reply kind = 0; kind < FTP_SIDE_REPLY_KINDS; kind++) {
		uint32_t n = 0;

		for (size_t run = 0; run < side->nruns; run++)
			n += side->runs[run].kind == kind ? side->runs[run].n : 0;
		if (n == 0)
			continue;
		expect_late(side, kind, n < UINT16_MAX ? (uint16_t)n : UINT16_MAX);
		log_unanswered(kind, out);
	}
	side->nruns = 0;
	side->due = false;
}

/* End the transfer: its last reply was matched to another command, or never comes. */
static void end_transfer(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->side.late_result =
	    machine->transfer == FTP_TRANSFER_OVER ? machine->result : FTP_DATA_ABORTED;
	/* before the 1yz, too: to the server, an orderly end would be that of an empty file */
	if (machine->transfer != FTP_TRANSFER_OVER)
		ftp_out_add(out, FTP_DO_DATA_ABORT);
	machine_close_125(machine, out);
	machine->transfer = FTP_TRANSFER_NONE;
	machine->result = FTP_DATA_PENDING;
	machine->pending = FTP_PENDING_NONE;
	machine->side.doubt = FTP_SIDE_DOUBT_NONE;
	expect_late(&machine->side, FTP_SIDE_REPLY_TRANSFER, 1);
	machine_plan_drop(machine, out);
}

void machine_side_held(struct ftp_machine *machine, struct ftp_out *out)
{
	bool certain = machine->side.doubt == FTP_SIDE_DOUBT_CERTAIN && machine->side.nruns == 0;

	if (certain && machine->transfer == FTP_TRANSFER_OVER && !machine->reply_open)
		end_transfer(machine, out);
	else if (is_doubtful(machine) && !machine->side.waiting)
		wait(machine, out);
}

void machine_side_due(struct ftp_machine *machine, struct ftp_out *out)
{
	struct ftp_side_replies *side = &machine->side;

	if (!side->waiting)
		return;
	side->waiting = false;
	if (!ftp_machine_in_transfer(machine)) {
		side->due = true;
	} else if (is_doubtful(machine) && !machine->reply_open) {
		end_transfer(machine, out);
		log_unanswered(FTP_SIDE_REPLY_TRANSFER, out);
		side->due = true;
	} else if (machine->transfer == FTP_TRANSFER_GOING &&
		   (machine->failing || machine_side_is_aborting(machine))) {
		/* every server notices this, even if it reads no commands during a transfer */
		ftp_out_add(out, FTP_DO_DATA_ABORT);
	}
}
