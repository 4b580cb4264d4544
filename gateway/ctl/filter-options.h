/*
 * The options that choose sessions: `sessions`, `end`, `top` and `trace` take the same
 * ones, with the same meaning.
 */
#ifndef ATTLSD_GATEWAY_CTL_FILTER_OPTIONS_H
#define ATTLSD_GATEWAY_CTL_FILTER_OPTIONS_H

#include <stdbool.h>

#include "gateway/base/session-filter.h"
#include "gateway/ctl/command-line.h"

/* For struct command's takes, and how its arguments show them. */
#define TAKES_WHO    (TAKES(USER) | TAKES(CLIENT) | TAKES(RULE) | TAKES(LISTENER) | TAKES(BACKEND))
#define TAKES_FILTER (TAKES_WHO | TAKES(TRANSFERS) | TAKES(IDLE))
#define WHO_ARGUMENTS                                                                                        \
	"[--user NAME] [--client ADDRESS[/PREFIX]] [--rule NAME]\n"                                          \
	"                        [--listener NAME] [--backend NAME]"
#define FILTER_ARGUMENTS WHO_ARGUMENTS " [--transfers] [--idle SECONDS]"

/* Is one of them given? Without any, the filter lets every session through. */
bool filter_options_given(const struct command_line *line);

/* Returns 0, or an exit status after printing what is wrong. The filter's `session` stays 0. */
int filter_options_parse(const struct command_line *line, struct session_filter *ret);

#endif
