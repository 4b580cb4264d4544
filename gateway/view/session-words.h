/*
 * The words for a session that tables, details, JSON and `top` share. A worker may lie,
 * so none of them trusts a number.
 */
#ifndef ATTLSD_GATEWAY_VIEW_SESSION_WORDS_H
#define ATTLSD_GATEWAY_VIEW_SESSION_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"

/* "PASV", "EPSV", "PORT", "EPRT", or "": no data connection was asked for. */
const char *session_way(const struct answer_leg *leg);

/* What of the file or folder the transfer under way names; "": nothing. */
const char *session_file(const struct answer_session *session);

/* 0 to 100, and 100 only if all bytes are there. -1: the size is not known. */
int session_percent(const struct answer_session *session);

/* How long the transfer will take at this speed. False: not known. */
bool session_left(const struct answer_session *session, uint64_t *ret_ms);

/* The letters of both legs: "P/C"; "-" for one that is not known. */
#define SESSION_LETTERS_MAX 4
const char *session_letters(char client, char server, char buf[static SESSION_LETTERS_MAX]);

/* "34% of 3.5 GiB, 12.3 MiB/s, 2m10s left", as far as it is known. */
#define SESSION_PROGRESS_MAX 128
const char *session_progress(const struct answer_session *session, char buf[static SESSION_PROGRESS_MAX]);

#endif
