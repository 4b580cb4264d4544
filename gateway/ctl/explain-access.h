/* The parts of an explanation that are about single users and paths: `access` and `per_user`. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_ACCESS_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_ACCESS_H

#include "gateway/ctl/explain-json.h"

/* The entries of `access`, as a list. */
json_t *explain_access(struct explain_maker *maker, const struct ftp_action *ftp);

/* The entries of `per_user`, with the levels that they raise; `usual` is the settings of the action. */
json_t *explain_per_user(struct explain_maker *maker, const struct ftp_action *ftp, const json_t *usual);

/* Who may do what with the path of the question: the client that it is about, or all that `access` names. */
json_t *explain_path(struct explain_maker *maker, const struct policy_rule *rule);

#endif
