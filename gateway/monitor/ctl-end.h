/* Carries out `attlsctl end`. */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_END_H
#define ATTLSD_GATEWAY_MONITOR_CTL_END_H

#include "gateway/base/ctl-proto.h"
#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/older.h"

#define CTL_END_TEXT_MAX 200

/*
 * End a session of this attlsd, or pass the order on with the operator's connection. Returns the
 * answer and its text; 0: a replaced attlsd answers.
 */
enum answer_kind ctl_end_session(const struct admission *admission, const struct older_set *older, int fd,
				 enum msg_asker who, const struct ask *ask,
				 char ret_text[static CTL_END_TEXT_MAX]);

#endif
