/* The questions of `attlsctl init`, and where the answers come from. */
#ifndef ATTLSD_GATEWAY_CTL_INIT_QUESTIONS_H
#define ATTLSD_GATEWAY_CTL_INIT_QUESTIONS_H

#include "gateway/ctl/command-line.h"
#include "gateway/ctl/init-plan.h"

/*
 * Answer every question: by its option, else by whoever sits at the terminal, else by its default.
 * Returns 0, or an exit status after printing what is wrong or missing.
 */
int init_questions_answer(struct init_plan *plan, const struct command_line *line, bool terminal);

#endif
