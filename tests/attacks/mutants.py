#!/usr/bin/python3
"""
Show that each incident's test depends on its guard: build the daemon with the
guard switched off and run the test, which must then fail. `make mutants` calls it.

    mutants.py [NUMBER ...]     only these incidents
    mutants.py --check          only look for stale mutants; `make lint` calls it

A mutant is a list of (file, text, replacement); the text must occur exactly once
in the file, and its incident must have a test. The program works on a copy of the tree and changes nothing in the
project. It prints a table, and exits with 0 if every mutant was built and killed.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JOBS = int(os.environ.get("MUTANT_JOBS", "2"))

AUTH, CCC = "gateway/worker/control-tls.c", "gateway/worker/control-tls.c"
REUSE = "gateway/tls/tlsctx-reuse.c"
MACHINE, PLAN, LINE, DATA, TLSCTX = "ftp-alg/machine.c", "ftp-alg/plan.c", "ftp-alg/line.c", "gateway/worker/data-leg.c", "gateway/tls/tlsctx.c"
TRUST, CHAIN, ENTRY = "gateway/tls/trust.c", "gateway/tls/trust-limits.c", "gateway/tls/identity-entry.c"
CLIENT = "gateway/tls/tlsctx-client.c"
MASKS = "gateway/worker/trace-line.c"
LOGIN, QUESTION = "gateway/host/login-socket.c", "gateway/base/login-question.c"
SHOWN = "ftp-alg/shown.c"
CALLS, FILTER = "gateway/host/worker-calls.c", "gateway/host/filter.c"
FOREIGN = [(MACHINE, "command.verb->kind == FTP_KIND_FOREIGN", "command.verb->kind == FTP_KIND_COUNT")]

# Only AddressSanitizer finds this one.
ASAN = ["B=build/asan", "HARDEN=-fno-omit-frame-pointer", "SAN=-fsanitize=address -fno-sanitize-recover=all"]
PLAIN = ["B=build"]

# incident, guard that is switched off, [(file, text, replacement)], how to build (default PLAIN)
MUTANTS = [
    (1, "bytes after AUTH end the session",
     [(AUTH, "if (inbuf_len(&session->client_in) > 0) {", "if (false) {")]),
    (2, "an unsolicited reply ends the session",
     [("ftp-alg/stray.c", "machine->drops_strays && machine->login == FTP_LOGIN_DONE &&", "machine->drops_strays &&")]),
    (3, "bytes after CCC end the session",
     [(CCC, "if (inbuf_len(&session->client_in) > 0 || stream_tls_has_pending(&session->client)) {", "if (false) {")]),
    (3, "PROT is frozen after CCC",
     [("ftp-alg/security.c", "\tif (security->ctrl == FTP_CTRL_CLEARED)\n\t\treturn FTP_LOCAL_PROT_AFTER_CCC;\n"
                             "\tif (!ftp_security_is_protected(security))\n", "\tif (security->ctrl == FTP_CTRL_CLEAR)\n")]),
    (4, "the first byte shows whether the client still speaks TLS",
     [("gateway/net/stream-tls.c", "if (first < RECORD_FIRST || first > RECORD_LAST) {", "if (first == 0) {")]),
    (5, "a ClientHello for another protocol gets an alert",
     [(TLSCTX, "\treturn SSL_TLSEXT_ERR_ALERT_FATAL;\n}\n", "\treturn SSL_TLSEXT_ERR_NOACK;\n}\n")]),
    (5, "a request of another protocol ends the session", FOREIGN),
    (6, "PORT may name only the client's address",
     [(PLAN, "if (action->portcommandipaddr == NOREDIRECT &&", "if (false &&")]),
    (6, "PORT may not name a low port",
     [(PLAN, "if (target.port == 0 || (action->portcommandport == NOLOWPORTS && target.port < PORT_LOW_LIMIT))",
       "if (target.port == 0)")]),
    (7, "the address in 227 is ignored",
     [(PLAN, "machine->server_port = endpoint.port;\n",
       "machine->server_port = endpoint.port, machine->server_addr = endpoint.addr;\n")]),
    (7, "no connection to a low port of the server", [(PLAN, "machine->server_port > 0 && machine->server_port < PORT_LOW_LIMIT &&", "false &&")]),
    (8, "only the control connection's peer may use the data port",
     [(DATA, "if (!any && !ip_addr_equal(&peer.addr, expected)) {", "if (false) {")]),
    (8, "a TLS session belongs to one control connection",
     [(REUSE, "SSL_get_session(ssl), reuse_of(ssl)->binding, TLS_BINDING_BYTES", "SSL_get_session(ssl), control_context, TLS_BINDING_BYTES"),
      (REUSE, "own ? binding : control_context,", "control_context,"),
      (REUSE, "bool own = use == TLSCTX_DATA || never;", "")]),
    (9, "no resumption if the policy checks certificates",
     [(TLSCTX, "use == TLSCTX_CONTROL && asks_for_certificate(tlsctx), binding", "false, binding")]),
    (10, "an end without close_notify is a truncation",
     [("gateway/net/relay.c", "\tcase STREAM_TRUNCATED:\n\t\treturn relay->doubt ? fail(relay) : RELAY_CUT;\n",
       "\tcase STREAM_TRUNCATED:\n\t\trelay->state = RELAY_ENDING;\n\t\treturn RELAY_AGAIN;\n")]),
    (11, "the wait for the peer's end is limited", [("gateway/net/linger.c", "#define LINGER_MS\t2000", "#define LINGER_MS\t3600000")]),
    (12, "closing a stream closes its descriptor",
     [("gateway/net/stream.c", "fd_close(&stream->watch.fd);", "")]),
    (13, "before the login, only a login is allowed",
     [("ftp-alg/gate.c", "if (machine->login != FTP_LOGIN_DONE && !(verb->flags & FTP_VERB_BEFORE_LOGIN))", "if (false)")]),
    (13, "a request of another protocol ends the session", FOREIGN),
    (14, "an unsolicited 227 ends the session",
     [(MACHINE, "if (ftp_reply_names_a_port(reply->code) &&", "if (false && ftp_reply_names_a_port(reply->code) &&")]),
    (14, "the server must accept PORT",
     [(PLAN, "if (reply->code >= 400) {", "if (reply->code >= 400 && passive) {"),
      (PLAN, "if (passive ? !names_usable_port(machine, reply) : !ftp_reply_is_positive(reply->code)) {",
       "if (passive && !names_usable_port(machine, reply)) {")]),
    (15, "a reply ends only at its own code",
     [("ftp-alg/reply.c", "} else if (head.code == parser->code && !head.more) {", "} else if (head.code != 0 && !head.more) {")]),
    (16, "the reply to the gateway's own EPSV is held back",
     [(MACHINE, "\t\tmachine_plan_line(machine, reply);\n", "\t\tmachine_plan_line(machine, reply);\n"
       "\t\tftp_out_text(out, FTP_DO_REPLY, reply->line, reply->len);\n")]),
    (17, "the log names what the kernel rejects", [("gateway/monitor/privileged.c", "if (privileged->failure_logged)", "if (true)")]),
    (18, "Telnet commands are removed",
     [(LINE, "size_t times = byte == TELNET_IAC ? telnet_iac_data(&in) : 1;", "size_t times = 1;")]),
    (18, "urgent data stays in the stream", [("gateway/net/netsock.c", "set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);", "")]),
    (19, "lines have a limit", [("ftp-alg/line.h", "#define FTP_LINE_MAX 4096", "#define FTP_LINE_MAX 1000000")]),
    (20, "no CR inside a line", [(LINE, "if (window[i] == '\\r')", "if (false)")]),
    (20, "a bare LF does not end a line", [(LINE, "if (lf == 0 || window[lf - 1] != '\\r')", "if (lf == 0)")]),
    (21, "certificates are checked against the CRLs",
     [("gateway/tls/trust.c", "X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL", "0")]),
    (21, "against those of every CA in the chain",
     [("gateway/tls/trust.c", "X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL", "X509_V_FLAG_CRL_CHECK")]),
    (22, "names are compared completely",
     [("ftp-alg/login.c", "return name != NULL && strlen(name) == len && strncasecmp(name, arg, len) == 0;",
       "return name != NULL && strncasecmp(name, arg, len) == 0;")]),
    (23, "a session is freed after its last use",
     [("gateway/worker/session-end.c", "\tloop_defer_free(&worker->loop, &session->deferred);\n\tsession_table_remove(&worker->sessions, &session->node);\n",
       "\tsession_table_remove(&worker->sessions, &session->node);\n\tsession->deferred.fn(&session->deferred);\n")], ASAN),
    (24, "sessions before login are counted per source",
     [("gateway/monitor/admission.c", "if (source->unauthenticated >= limits->limit_unauthenticated_per_source)", "if (false)")]),
    (25, "the only writer uses TLS",
     [("gateway/net/stream.c", "if (!stream_writes_plain(stream)) {", "if (!stream_writes_plain(stream) && len > 60) {")]),
    (26, "a refusal does not wait for a data connection",
     [("ftp-alg/transfer.c", "if (machine->transfer == FTP_TRANSFER_ASKED && ftp_reply_is_positive(code)) {",
       "if (machine->transfer == FTP_TRANSFER_ASKED) {")]),
    (26, "226 only after the data has arrived", [("ftp-alg/transfer.c", "machine->instead = verdict(aborted_result(machine), code);", "(void)verdict;")]),
    (27, "the log escapes control characters",
     [("gateway/base/log.c", "else if (*c >= 0x20 && *c < 0x7f)", "else if (*c != 0)")]),
    (28, "only the owner may use the control socket",
     [("gateway/monitor/ctl-socket.c", "umask(0177)", "umask(0)")]),
    (62, "a login without an answer is reported",
     [("gateway/worker/session-end.c", "if (ftp_machine_tries_login(&session->machine))", "if (false)")]),
    (60, "a password waits for its turn",
     [("ftp-alg/login.c", "if (machine->action->login_delay_ms == 0 || !tries_login(machine, command->verb->kind))", "if (true)")]),
    (61, "one attempt at a time after a failure",
     [("gateway/monitor/login-queue.c", "uint32_t at_once = failures > 0 ? 1 : CLEAN_AT_ONCE;", "uint32_t at_once = 1000;"),
      ("gateway/monitor/login-queue.c", "if (failures > 0 && wait_until(source, due_ms))", "if (source->under_way == 0 && failures > 0 && wait_until(source, due_ms))")]),
    (62, "a password that is not answered has failed",
     [("ftp-alg/machine.c", "machine->login_turn == FTP_LOGIN_TURN_OURS || machine->pending == FTP_PENDING_PASS ||", "")]),
    (191, "a greeting that has come waits for the client",
     [("gateway/worker/session.c", "session->phase == PHASE_HANDSHAKE && inbuf_len(&session->server_in) > 0", "false")]),
    (190, "what waits for its turn has not failed",
     [("ftp-alg/machine.c", "return machine->login_turn == FTP_LOGIN_TURN_OURS ||", "return machine->login_turn != FTP_LOGIN_TURN_NONE ||")]),
    (63, "a right password ends its attempt",
     [("gateway/monitor/requests.c", "\tlogin_queue_over(request->from->logins, request->msg->session);\n\treturn NULL;\n}\n\n/* Whose", "\treturn NULL;\n}\n\n/* Whose")]),
    # test_smuggling.py
    (41, "no line is longer than the server reads", [("ftp-alg/gate.c", "if (command->len > machine->command_line_max && !is_token(machine, verb))", "if (false)")]),
    (42, "an unknown verb hides no command", [("ftp-alg/gate.c", "if (machine_gate_hides_command(action, command))", "if (false)")]),
    (42, "a verb has only letters and digits", [("ftp-alg/gate.c", "if (!is_word(command->line, command->verb_len))", "if (false)")]),
    (43, "a word that servers read in different ways is denied",
     [("ftp-alg/verb.c", "(entry.argument == NULL || !is_plain(word) ||", "(entry.argument == NULL ||")]),
    (44, "a doubled 0xFF stays doubled", [(LINE, "if (command == TELNET_IAC)\n\t\treturn 2;", "if (command == TELNET_IAC)\n\t\treturn 1;")]),
    (45, "AUTH forgets what came in the clear", [("ftp-alg/command.c", "if (machine->told || machine->user_seen ||", "if (machine->user_seen ||")]),
    # test_certificates.py
    (81, "a client's chain has a limit", [(TLSCTX, "(long)action->keyring->max_client_chain", "102400")]),
    (82, "and a number of certificates", [(CHAIN, "sk_X509_num(chain) > CHAIN_CERTIFICATES_MAX", "false")]),
    (83, "and a size of keys", [(CHAIN, "EVP_PKEY_get_bits(key) > CHAIN_KEY_BITS_MAX", "false")]),
    (84, "no TLS session outlives its control session", [("gateway/worker/session-end.c", "tlsctx_sessions_forget(&session->tls_sessions);", "")]),
    (85, "one TLS session of data connections is kept",
     [("gateway/tls/tlsctx-sessions.c", "\tdrop(sessions, use);\n\tsessions->ctx", "\tsessions->ctx")]),
    (86, "an issuer must match", [(ENTRY, "if (issuer != NULL && !has_issuer(identity, issuer))", "if (false)"), (ENTRY, "static bool has_issuer(", "bool has_issuer(const struct identity *identity, const X509_NAME *issuer);\nbool has_issuer(")]),
    (87, "an issuer is one of the key ring", [("gateway/tls/identity.c", "trust_store_holds(store, authority) || !trust_store_has_several(store)", "true")]),
    (88, "several authorities need an issuer", [("gateway/tls/identity-users.c", "known->certificate->text[CERTIFICATE_SHA256] != NULL", "true")]),
    (89, "a serial number must match", [(ENTRY, "if (entry->serial != NULL &&", "if (false &&")]),
    (89, "an alternative name must match", [(ENTRY, "return entry->san == NULL || has_san(entry, identity->certificate);", "return entry->san == NULL || has_san(entry, identity->certificate) || true;")]),
    (89, "lengths of alternative names are compared", [(ENTRY, "(size_t)ASN1_STRING_length(value) != entry->san_len", "(size_t)ASN1_STRING_length(value) < entry->san_len")]),
    (90, "a name with a NUL matches nothing", [("gateway/tls/identity.c", "found = len < 0 || (len > 0 && memchr(utf8, 0, (size_t)len) != NULL);", "found = false;"), (ENTRY, "(identity->name == NULL || X509_NAME_cmp(subject, identity->name) != 0)", "identity->name == NULL")]),
    (91, "a certificate of two users is nobody's", [("gateway/tls/identity-users.c", "if (*ret_several)\n\t\t\treturn NULL;\n", "")]),
    (92, "the server gets the policy's spelling", [("ftp-alg/login.c", "if (name == NULL || memcmp(name, command->arg, command->arg_len) == 0) {", "if (true) {")]),
    # test_worker.py
    (100, "no fcntl", [(FILTER, "\t{ .call = SCMP_SYS(getpid) },\n", "\t{ .call = SCMP_SYS(getpid) },\n\t{ .call = SCMP_SYS(fcntl) },\n")]),
    (100, "splice is judged by its target",
     [(CALLS, "[2] = { FILTER_OTHER_FD, 0 }, [3] = { FILTER_NULL, 0 } } },", "[3] = { FILTER_NULL, 0 } } },")]),
    (100, "no sendmsg without ktls", [(CALLS, ".only_if = CALLS_KTLS,\n\t  .args = { [0] = { FILTER_OTHER_FD", "\n\t  .args = { [0] = { FILTER_OTHER_FD")]),
    (100, "the filter compares ints", [(FILTER, "SCMP_CMP_MASKED_EQ, INT_MASK, value & INT_MASK", "SCMP_CMP_MASKED_EQ, 0, 0")]),
    (100, "no memory as code", [(FILTER, "SCMP_CMP_MASKED_EQ, value, 0", "SCMP_CMP_MASKED_EQ, 0, 0")]),
    (100, "no offsets and addresses", [(FILTER, "SCMP_CMP_EQ, 0", "SCMP_CMP_MASKED_EQ, 0, 0")]),
    (100, "log and channels are known by number", [(FILTER, "SCMP_CMP_MASKED_EQ, bit, bit", "SCMP_CMP_MASKED_EQ, 0, 0")]),
    (101, "the monitor's bounding set is cut", [("gateway/host/capabilities.c", "if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)\n\t\treturn -EPERM;\n", "")]),
    (101, "no core files", [("gateway/host/sandbox.c", "setrlimit(RLIMIT_CORE, &none) == -1 ||", "none.rlim_cur != 0 ||")]),
    (102, "workers are not dumpable", [("gateway/host/sandbox.c", "prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)", "prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)")]),
    (103, "announcements are held to passivedataports",
     [("gateway/monitor/privileged.c", "return in_range(msg->local.port, rule->ftp->passivedataports) ? NULL : not_passive;", "return NULL;")]),
    (103, "unused fields are zero", [("gateway/monitor/requests.c", "(fields & looks[i].field) == 0 ? looks[i].is_set", "(fields & looks[i].field) == 0 ? false")]),
    # test_resumption.py
    (120, "tickets of other sessions keep their id", [(REUSE, "if (has_binding(session, reuse->own) &&", "if (true &&")]),
    (121, "the id of a user names him", [("gateway/tls/tlsctx-user.c", "ip_addr_format(client, address), user);", "ip_addr_format(client, address), user + strlen(user));")]),
    (122, "and his address", [("gateway/tls/tlsctx-user.c", "rule, ip_addr_format(client, address), user);", "rule, ip_addr_format(client, address) != NULL ? \"\" : \"\", user);")]),
    (126, "the id changes with REIN",
     [(AUTH, "if (getrandom(facts->binding,", "if (facts->binding[0] != 0 || getrandom(facts->binding,")]),
    (128, "the cache's sessions have the id of theirs",
     [(REUSE, "void tlsctx_bind(SSL *ssl)\n{\n\t/* TLS 1.2 without tickets: the data connections find this very object in the cache. */\n\t(void)bind_session(ssl);", "void tlsctx_bind(SSL *ssl)\n{\n\t(void)ssl;"),
      (REUSE, "own ? binding : control_context,", "control_context,"),
      (REUSE, "bool own = use == TLSCTX_DATA || never;", "")]),
    (129, "only Finished decides a handshake",
     [("gateway/worker/data-handshake.c", "if (client->state == LEG_READY)", "if (client->state == LEG_READY || data_tls_resumes(client))")]),
    # test_dying.py
    (70, "a leg that attlsd dials is reset when the worker dies",
     [(DATA, "netsock_dial(&leg->target, &source, true)", "netsock_dial(&leg->target, &source, false)")]),
    (70, "a leg that attlsd accepts is reset when the worker dies", [(DATA, "\tnetsock_reset_on_close(leg->listener.fd);\n", "")]),
    (70, "the second signal is an order to the workers",
     [("gateway/monitor/ending.c", "\tretire_all(ending, MSG_STOP);\n", "\tending_kill(ending);\n")]),
    (71, "the client of a download gets RST when the worker dies", [(DATA, "\tnetsock_reset_on_close(leg->listener.fd);\n", "")]),
    (72, "the kernel ends a whole upload in order", [("gateway/net/stream.c", "\tstream->finished = true;\n\tunguard(stream);\n", "\tstream->finished = true;\n")]),
    (73, "a server can tell the part of a dead worker from a file",
     [(DATA, "netsock_dial(&leg->target, &source, true)", "netsock_dial(&leg->target, &source, false)")]),
    # test_cut_uploads.py
    (74, "an aborted upload has no end in order",
     [("gateway/net/relay.c", "if (relay->doubt && !relay->kept)", "if (relay->doubt && !relay->upload)"),
      ("gateway/net/relay.c", "if ((relay->may_end != NULL || relay->awaits_word) && relay->doubt)", "if (relay->awaits_word && relay->doubt)")]),
    (78, "the client's last words come before the end of its data", [("gateway/worker/last-look.c", "upload ? client_is_silent(fd) :", "upload ? true :"), ("gateway/worker/last-look.c", "static bool client_is_silent(", "bool client_is_silent(int fd);\nbool client_is_silent(")]),
    (75, "a refused ABOR is as none", [("gateway/worker/control-act.c", "data_conn_trust(&session->data);", "")]),
    (77, "what a client sends before its command is followed",
     [("gateway/net/relay.c", "\tif (relay->ahead != NULL)\n", "\tif (false)\n")]),
    (77, "a file may have begun before its command", [("gateway/net/relay.h", "relay->frame = ahead != NULL ?", "relay->frame = false ?")]),
    (77, "a refused command changes nothing about that", [("gateway/worker/data-kept.c", "relay_keep(relay, mode, upload ? ahead : NULL);", "relay_keep(relay, mode, upload && ahead == NULL ? ahead : NULL);")]),
    (79, "what is not whole is reset at the server", [("gateway/worker/data-end.c", "data_legs_close(legs, &legs->server, !whole);", "data_legs_close(legs, &legs->server, false);")]),
    (79, "a session that ends resets its transfer", [("gateway/worker/data-conn.c", "reset = reset || data->state != DATA_IDLE;", "")]),
    (78, "a client that closes has not sent all", [("gateway/worker/client-gone.c", "!session->quitting && !client_gone_quits(session)", "false && !client_gone_quits(session)")]),
    (76, "a transfer that is given up has no end in order",
     [("ftp-alg/side-reply.c", "if (machine->transfer != FTP_TRANSFER_OVER)\n\t\tftp_out_add(out, FTP_DO_DATA_ABORT);", "if (machine->transfer == FTP_TRANSFER_GOING)\n\t\tftp_out_add(out, FTP_DO_DATA_ABORT);"),
      ("gateway/worker/data-conn.c", "reset = reset || data->state != DATA_IDLE;", "")]),
    (64, "refused lines before the login end the session",
     [("ftp-alg/state.c", "if (refused)", "if (false)")]),
    (65, "lines that a client may give at once",
     [("gateway/worker/control.c", "#define LINES_PER_RUN 16", "#define LINES_PER_RUN 100000")]),
    (66, "records in a handshake are counted",
     [("gateway/net/stream-tls.c", "if (++stream->shake_records <= SHAKE_RECORDS_MAX)", "if (true)")]),
    (67, "the rest of a wire buffer is kept",
     [("gateway/net/stream-intake.c", "\tstream->rest = rest;\n", "\tfree(rest);\n")]),
    # test_passive_ports.py
    (130, "a source with many undialled ports gives one",
     [("gateway/worker/control-act.c", " && passive_share_make_room(session)", "")]),
    (130, "a source with as many ports gives none",
     [("gateway/worker/passive-share.c", "most > mine + 1 ? result : NULL", "most > 0 ? result : NULL")]),
    (131, "an undialled port gets old",
     [("gateway/worker/data-conn.c", "data_legs_give_port(&data->legs, \"time-out\")", "(void)data")]),
    (132, "so does one after a refused transfer",
     [("gateway/worker/data-conn.c", "\t(void)data_conn_time(data); /* if", "\tloop_timer_stop(loop_of(data), &data->timer); /* if")]),
    # test_shared_ports.py
    (230, "a connection gets only a plan for its own address",
     [("gateway/monitor/data-plans.c", "\tif (hold != NULL && hold->plan != NULL)\n\t\treturn hold;\n",
       "\tfor (hold = plans->holds; hold != NULL; hold = hold->hh.next)\n\t\tif (hold->plan != NULL)\n\t\t\treturn hold;\n")]),
    (231, "a port is kept after a plan that nobody has dialled",
     [("gateway/monitor/plan-store.c", "now_ms + PLAN_LATE_MS", "now_ms")]),
    (232, "the queue is looked at before a plan ends",
     [("gateway/monitor/data-plans.c", "if (plan->hold != NULL) /* its client's", "if (plan == NULL) /* its client's")]),
    (233, "each address has places of its own",
     [("gateway/monitor/plan-store.c", "memcpy(key.source.bytes, source->bytes, sizeof(key.source.bytes));", "(void)source;"),
      ("gateway/monitor/plan-store.c", "memcpy(hold->key.source.bytes, source->addr.bytes, sizeof(hold->key.source.bytes));", "")]),
    (234, "strangers have ten lines a second",
     [("gateway/monitor/data-share.c", "if (++share->strangers.n > STRANGERS_PER_S) {", "if (false) {")]),
    (235, "through a load balancer, only it and the client get in",
     [("gateway/monitor/data-plans.c", "(ip_addr_equal(&any->plan->ask.client, peer) || policy_is_proxy(any->plan->ask.through, peer))", "true")]),
    # test_hostile_replies.py
    (229, "replies in memory count", [("gateway/worker/last-look.c", "unread == NULL || inbuf_len(unread) == 0 ||", "true ||")]),
    # test_gssapi_attacks.py
    (360, "the exchange ends the login before it", [("ftp-alg/gssapi.c", "machine->told || machine->user_seen || machine->lazy_dial", "false")]),
    (361, "bytes after ADAT end the session", [("gateway/worker/control-gssapi.c", "if (inbuf_len(&session->client_in) > 0) {", "if (false) {")]),
    (362, "commands in the clear are refused", [("ftp-alg/security.c", "if (security->command == FTP_PROT_CLEAR)", "if (false)")]),
    (376, "a level must fit the user", [("ftp-alg/security.c", "enum ftp_local refusal = refuse_level(action, security->prot);",
                                         "enum ftp_local refusal = refuse_level(action, security->prot == FTP_PROT_SAFE ? FTP_PROT_PRIVATE : security->prot);")]),
    (363, "no command may be missing", [("gateway/gssapi/context.c", "context->begun && token.sequence != context->next", "false")]),
    (364, "ENC has to be encrypted", [("gateway/gssapi/context.c", "token.acceptor_subkey ||\n\t    (sealed && !token.sealed))", "token.acceptor_subkey)"),
                                      ("gateway/gssapi/context.c", "(!sealed || encrypted)", "true")]),
    (365, "commands are under the key of this session", [("gateway/gssapi/context.c", "!token.acceptor_subkey ||", "")]),
    (367, "the end of TCP is not the end of the file", [("gateway/net/stream-gssapi.c", "return STREAM_TRUNCATED; /* before", "return STREAM_CLEAN; /* before")]),
    (369, "blocks are encrypted under PROT P", [("gateway/worker/data-gssapi.c", ".seal = level != FTP_PROT_SAFE", ".seal = false")]),
    (370, "a block is no command", [("gateway/worker/control-gssapi.c", "(envelope.faulty || fits_upload(session, line))", "(envelope.faulty || true)")]),
    (371, "what is lost ends the sequence", [("gateway/net/stream-gssapi.c", "if (gssapi->receives && !gssapi->ended && gssapi->context != NULL)", "if (false)")]),
    (372, "the end of a download waits for success", [("gateway/worker/data-conn.c", "data->gssapi != FTP_PROT_CLEAR && !data->upload && !data->agreed", "false")]),
    (373, "the end of a download waits for the reply", [("gateway/worker/data-conn.c", "data->gssapi != FTP_PROT_CLEAR && !data->upload && !data->agreed", "false")]),
    (374, "the server gets our end first", [("gateway/net/relay.c", "\t\t(void)stream_finish(relay->from);\n\tif (to == STREAM_RESET)", "\t\t(void)0;\n\tif (to == STREAM_RESET)")]),
    (375, "tickets that are refused are counted", [("ftp-alg/gssapi.c", "most != 0 && machine->failures_here >= most", "false")]),
    # test_upstream.py
    (300, "what came in the clear after 234 ends the session",
     [("gateway/worker/server-tls.c", "\tif (inbuf_len(&session->server_in) > 0)\n\t\tfail(session, FTP_SIGNAL_SERVER_INJECTED,",
       "\tif (false)\n\t\tfail(session, FTP_SIGNAL_SERVER_INJECTED,")]),
    (301, "TLS needs a 234", [("ftp-alg/server-tls.c", "if (reply->code == 234) {", "if (true) {")]),
    (301, "a greeting in the clear leads to AUTH", [("ftp-alg/server-link.c", "\tif (!trusted) {\n", "\tif (false) {\n")]),
    (302, "the greeting is not shown before TLS",
     [("ftp-alg/reply-filter.c", "return ftp_machine_trusts_server(machine);", "return true;")]),
    (302, "nor is a 421", [(MACHINE, "bool trusted = ftp_machine_trusts_server(machine);", "bool trusted = true;")]),
    (303, "a login by the greeting counts under TLS only",
     [("ftp-alg/server-link.c", "\tif (!trusted) {\n", "\tmachine->greeted_in = reply->code == 230;\n\tif (!trusted) {\n")]),
    (304, "no USER after CCC", [("ftp-alg/gate.c", "machine->server_tls.ctrl == FTP_CTRL_CLEARED", "false")]),
    (305, "the other level only where policy has it",
     [("ftp-alg/server-tls.c", "tls->security->dataconn != SECURE_CLEAR || (", "(")]),
    # test_signer.py
    (110, "no bare hash, and only hashes of cipher suites", [("gateway/key/content.c", "\tfor (size_t i = 0; i < NELEM(hash_bytes); i++)\n\t\tif (len == hash_bytes[i])\n\t\t\treturn true;\n\treturn false;", "\treturn len == hash_bytes[0] || true;")]),
    (110, "no signature of a client", [("gateway/keeper/signer.c", "\tif ((key->roles & role) == 0)\n\t\treturn KEY_STATUS_ROLE;\n", "")]),
    (110, "no PKCS1 in TLS 1.3", [("gateway/key/request.c", "(scheme->versions & version) == 0", "version == 0")]),
    (110, "a packet has the length that it tells", [("gateway/key/request.c", "\n\t    n != key_request_bytes(request))", "\n\t    n == 0)")]),
    (111, "signatures in a second", [("gateway/keeper/signer.c", "!quota_take(state->signer->counts, state->signer->per_second, loop_clock_ms())", "false")]),
    (112, "an empty packet does not end a worker's signers", [("gateway/keeper/offspring.c", "\tif (is_over(offspring->fds[i]))\n\t\treturn;\n\toffspring_log_death", "\tif (is_over(offspring->fds[i]) || WIFEXITED(status))\n\t\treturn;\n\toffspring_log_death")]),
    (113, "certificates are loaded without their keys", [("gateway/tls/certs.c", "if (provider != NULL)", "if (false && provider != NULL)")]),
    (114, "the wait has a limit", [("gateway/key/link.h", "#define KEY_LINK_MAX_MS 3000", "#define KEY_LINK_MAX_MS 3600000")]),
    (114, "one handshake waits, not all", [("gateway/base/ask-link.c", "loop_clock_ms() < link->silent_until_ms", "false")]),
    # test_wrong_server.py
    (310, "the authorities of the key ring verify a server",
     [(CLIENT, "\treturn X509_verify_cert(verify) == 1;\n}\n\nstatic int judge", "\treturn true;\n}\n\nstatic int judge")]),
    (311, "a server's certificate names the host",
     [(CLIENT, "bool checked = client->action->secure_hostname == SECURE_HOSTNAME_REQUIRED;", "bool checked = false;")]),
    (312, "pins name the certificate", [(CLIENT, "if (client->action->npins > 0 && !is_pinned(client->action, leaf))", "if (false)")]),
    (313, "a server's end without close_notify is a truncation",
     [("gateway/net/relay.c", "\tcase STREAM_TRUNCATED:\n\t\treturn relay->doubt ? fail(relay) : RELAY_CUT;\n",
       "\tcase STREAM_TRUNCATED:\n\t\trelay->state = RELAY_ENDING;\n\t\treturn RELAY_AGAIN;\n")]),
    (561, "a server's key has the least size", [(CLIENT, " ||\n\t    trust_limits_weak_key(verify, client->action, \"server\") != NULL)", ")")]),
    # test_key_sizes.py
    (555, "a client's key has the least size", [(TRUST, "trust_limits_weak_key(verify, action, \"client\") == NULL && X509", "X509")]),
    (555, "RSA-PSS is RSA", [(CHAIN, " || EVP_PKEY_is_a(key, \"RSA-PSS\")", "")]),
    (556, "the size of RSA is not that of curves", [(CHAIN, "\tif (rsa)\n\t\tleast", "\tif (true)\n\t\tleast")]),
    (557, "no DSA", [(CHAIN, "if (EVP_PKEY_is_a(key, \"DSA\"))", "if (false)")]),
    (558, "no small key is verified", [(TRUST, "(void)trust_limits_weak_key(verify, action, \"client\"); /*", "; /*")]),
    (559, "explain knows the sizes", [("gateway/tls/trust-judge.c", "weak = trust_limits_weak_key(store, action, \"client\");", "weak = NULL;")]),
    (562, "and Suite B", [("gateway/tls/trust-judge.c", "X509_STORE_CTX_set_flags(store, chain_flags(action->suite_b_profile));", "(void)chain_flags;")]),
    (560, "each control connection shows its certificate again",
     [(TLSCTX, "use == TLSCTX_CONTROL && asks_for_certificate(tlsctx), binding", "false, binding"),
      ("gateway/tls/tlsctx-tickets.c", "(unsigned)action->peer_min_rsa_key_size,", "0U,")]),
    # test_trace_attacks.py
    (340, "a trace has no argument of PASS", [(SHOWN, "{ FTP_KIND_PASS, shown_of_secret },    ", "")]),
    (340, "nor of ACCT", [(SHOWN, "{ FTP_KIND_ACCT, shown_of_secret },\n", "\n")]),
    (340, "nor of SITE PSWD", [(SHOWN, "return ftp_change_shown(command);", "return command->arg_len;")]),
    (340, "AUTH shows mechanisms alone", [(SHOWN, "{ FTP_KIND_AUTH, shown_of_auth },", "")]),
    (340, "a line that is no command is not shown", [(MASKS, "if (command.verb->name[0] == '\\0')", "if (false)")]),
    (340, "a reply that repeats a secret is not shown", [(MASKS, "if (!doubtful && !echo_is_in(echo, line, len))", "if (!doubtful)")]),
    (341, "the ring has no password", [(SHOWN, "{ FTP_KIND_PASS, shown_of_secret },    ", "")]),
    (342, "a trace is printable ASCII", [("gateway/view/trace-print.c", "if (byte >= 0x20 && byte < 0x7f && byte != '\\\\')", "if (byte != '\\n')")]),
    # test_trace_lies.py
    (344, "workers say nothing of the monitor's", [("gateway/view/client.c", "else if (!may_follow(answer, packet.sender, monitor))", "else if (false)")]),
    (344, "a worker speaks for itself", [("gateway/view/trace-print.c", "\tif (sender != 0)\n\t\trecord->worker", "\tif (false)\n\t\trecord->worker")]),
    (344, "the length of a record has a limit", [("gateway/view/trace-print.c", " || record->len > sizeof(record->text))", ")")]),
    (345, "losses have a limit", [("gateway/view/client-answers.c", "from->records + from->losses <", "from->records <")]),
    (105, "a page with garbage counts no more", [("gateway/monitor/totals.c", "counted->frozen = counted->frozen || totals_only_grows(family->type);", "")]),
    (106, "only the worker of the session has the trace", [("gateway/monitor/ctl-trace.c", "trace->owner == 0 || trace->owner == child->pid", "true")]),
    (107, "the trace of one session ends with its worker", [("gateway/monitor/ctl-trace.c", "trace->owner == pid", "false")]),
    # test_server_lies.py
    (347, "two workers have to agree that a server is down",
     [("gateway/monitor/server-health.c", "(others && health->failed < WITNESSES)", "(others && false)")]),
    # test_fleet_attacks.py
    (350, "the secret of tickets is for nobody else", [("gateway/host/owned-file.c", '{ 077, "gives other users access"', '{ 0, "gives other users access"')]),
    (351, "pages of the secret stay with the monitor", [("gateway/tls/ticket-secrets.c", "*secrets = shared_map(size_of(n));",
                                                          "*secrets = shared_map(size_of(n));\n\n\tif (secrets != NULL)\n\t\t(void)shared_lend(secrets, size_of(n), true);")]),
    (352, "the file of a node has few keys", [("policy/own-values.c", "if (!own_values_allow(section->key->text, member->key->text, NULL)) {", "if (false) {")]),
    (353, "faults in the file of a node are printed safely", [("policy/diag.c", "if (rune == '\\t' || utf8_is_printable(rune))", "if (true)")]),
    # test_http_taken.py
    (330, "the HTTP process makes no socket", [("gateway/host/http-calls.c", "\t{ .call = SCMP_SYS(close) },\n", "\t{ .call = SCMP_SYS(close) },\n\t{ .call = SCMP_SYS(socket) },\n")]),
    (330, "it passes no descriptor to the monitor",
     [("gateway/host/http-calls.c", "[0] = { FILTER_OTHER_FD, 0 }, [2] = { FILTER_WITHOUT, MSG_FASTOPEN }", "[2] = { FILTER_WITHOUT, MSG_FASTOPEN }")]),
    (331, "it gives no orders", [("gateway/monitor/ctl-role.c", "question != NULL && who <= question->may", "true")]),
    (332, "a piece of a question is a fault", [("gateway/monitor/http-child.c", "} else if (n != -1) {", "} else if (false) {")]),
    (333, "its questions have a rate", [("gateway/monitor/http-child.c", "\tif (http->may_ask == 0)\n\t\treturn false;\n\thttp->may_ask--;\n", "")]),
    (334, "nothing is received from its channel", [("gateway/base/msg.c", "if (shutdown(fds[0], SHUT_RD) == -1) {", "if (false) {")]),
    (338, "it follows no trace", [("gateway/base/ctl-question.c", '"trace", .may = ASKER_MEMBER', '"trace", .may = ASKER_HTTP')]),
    (338, "it reads no trace of the past", [("gateway/base/ctl-question.c",
                                             '"trace of the past",\n\t\t\t     .may = ASKER_MEMBER', '"trace of the past",\n\t\t\t     .may = ASKER_HTTP')]),
    (336, "a question is received in bounded time", [("gateway/host/bounded-close.c", "\tbounded_begin();\n\tn = recv(", "\tn = recv(")]),
    (337, "HTTP receives in bounded time", [("gateway/http/server.c", "\tbounded_begin();\n", "")]),
    (74, "ABOR counts before its turn", [("gateway/worker/control.c", "if (abort_ahead(session))", "if (false)")]),
    # test_control_peers.py
    (339, "after its question a peer sends nothing", [("gateway/host/bounded-close.c", "(void)shutdown(fd, SHUT_RD);", "")]),
    (339, "what waits is dropped before a worker has the socket", [("gateway/host/bounded-close.c", "while (drop_packet(fd))", "while (false)")]),
    (339, "a connection without a place is closed in bounded time", [("gateway/monitor/ctl-server.c", "\tif (peer == NULL) {\n\t\tbounded_close(fd);",
                                                                      "\tif (peer == NULL) {\n\t\tfd_close(fd);")]),
    # test_hostile_partner.py
    (320, "a late handshake with the server ends with a reset",
     [("gateway/worker/data-server-tls.c", "\tdata_legs_close(legs, &legs->server, true);\n", "")]),
    (321, "INACTTIME counts after CCC, too", [("gateway/worker/session.c", " || session->server_state == SERVER_LEAVING_TLS;", ";")]),
    # test_kept.py
    (410, "a file in MODE B needs its last block", [("ftp-alg/frame.h", "return frame->mode == 'B' && frame->strict && !frame->ended && !frame->lost;", "return false && frame->strict;")]),
    (414, "an upload without a single block is no empty file", [("gateway/net/relay.c", "(relay->upload || relay->bytes + len > 0)", "relay->bytes + len > 0")]),
    (411, "PROT ends a data connection of another level", [("ftp-alg/command.c", "if (machine->kept && machine->security.prot != before)", "if (false && before)")]),
    (412, "between two files, nothing passes against the direction", [("gateway/net/relay.c", "\tcase STREAM_OK:\n\tcase STREAM_RESET:\n\t\treturn false;", "\tcase STREAM_OK:\n\t\treturn true;\n\tcase STREAM_RESET:\n\t\treturn false;")]),
    (413, "USER ends the data connection of another user", [("ftp-alg/command.c", "if (machine->kept) /* another user's */", "if (false)")]),
    # test_login_check_attacks.py
    (420, "no other user can write to the folder of login_check",
     [(LOGIN, "if (r == 0 && login_socket_exposed(path, &owner, why) != NULL) {", "owner = 0;\n\tif (false) {")]),
    (421, "no other user answers login_check",
     [(LOGIN, "if (is_ours(peer.uid) || peer.uid == folder_owner)", "if (peer.uid != 7654321)")]),
    (422, "nobody else has made the folder of login_check",
     [(LOGIN, "if (!is_ours(st->st_uid) && (!last || after_sticky))", "if (!is_ours(st->st_uid) && !last && !after_sticky)")]),
    (423, "the text of a denial is one line",
     [(QUESTION, "\t\tif (!utf8_is_printable(rune)) {\n\t\t\tif (used", "\t\tif (false) {\n\t\t\tif (used")]),
    (424, "only one word lets in", [(QUESTION, "if (is_word(bytes, len, \"allow\"))", "if (len >= 5 && memcmp(bytes, \"allow\", 5) == 0)")]),
    (426, "reading an answer takes no time", [("gateway/monitor/login-check.c", "bounded_receive(watch->fd, bytes, sizeof(bytes))",
                                               "recv(watch->fd, bytes, sizeof(bytes), MSG_TRUNC)")]),
    (427, "a user is asked about as a whole",
     [("gateway/worker/login-ask.c", "len = login_user_is_sound(command.arg, command.arg_len) ? command.arg_len : 0;",
       "len = command.arg_len < 63 ? command.arg_len : 63;")]),
    # test_upgrade_taken.py
    (520, "one worker gets a share of the monitor's time", [("gateway/monitor/children.c", "!child_debt_is_due(&child->debt) &&", "true &&")]),
    (520, "what may be lost leaves room in the link", [("gateway/base/handover-link.c", "unread < size / 2;", "unread < size;")]),
    (522, "neither a rate of questions, nor room in the link",
     [("gateway/monitor/http-child.c", "\tif (http->may_ask == 0)\n\t\treturn false;\n\thttp->may_ask--;\n", ""),
      ("gateway/base/handover-link.c", "unread < size / 2;", "unread < size;")]),
    (521, "a session belongs to its worker", [("gateway/monitor/requests.c", "\t\treturn not_its_session;\n\treturn table", "\t\treturn NULL;\n\treturn table")]),
    (521, "a piece of a message is a fault", [("gateway/monitor/children.c", "child_kill(child, \"piece-of-a-message\");", "(void)child;")]),
    # test_access.py
    (430, "paths are judged before a command goes on", [(MACHINE, "enum machine_step step = machine_access(machine, command, out);", "enum machine_step step = MACHINE_RUNS;")]),
    (431, "a command that may move makes the gateway forget the folder", [("ftp-alg/access.c", "if (!access_is_known(command->verb) || (command->verb->flags & FTP_VERB_MOVES) != 0)", "if (!access_is_known(command->verb))")]),
    (432, "an entry refuses another case as well", [("ftp-alg/access-match.c", "add(&pattern, (char)tolower(byte));", "add(&pattern, (char)byte);")]),
    (432, "a backslash may be a slash", [("ftp-alg/access-path.c", "byte == 0xff || byte == '\\\\'", "byte == 0xff")]),
    (432, "0xFF may be no part of a name", [("ftp-alg/access-path.c", "byte == 0x7f || byte == 0xff ||", "byte == 0x7f ||")]),
    (433, "the folder is what the server says", [("ftp-alg/access.c", "if (!access_is_known(command->verb) || (command->verb->flags & FTP_VERB_MOVES) != 0)", "if (!access_is_known(command->verb))")]),
    (435, "names that lead up may lead anywhere", [("ftp-alg/access-judge.c", "if (leads_up(judge, name, len)) {", "if (false) {")]),
    (436, "brackets and braces may be in each other",
     [("ftp-alg/access-match.c", "\tfor (size_t n = len; n > 1; n--)", "\tfor (size_t n = 2; n < len; n++)")]),
    (436, "braces have to end in their part", [("ftp-alg/access-path.c", "return depth > 0;", "return false;")]),
    (436, "brackets after a dot may lead up", [("ftp-alg/access-path.c", "? (end > i ? end : len) : i + 1;", "? len + 1 : i + 1;")]),
    (434, "a second login gives no more", [("ftp-alg/access.c", "access->had_login ? access->let_in[i] & access->named[i] : access->named[i]", "access->named[i]")]),
    (541, "another user gets another connection",
     [("ftp-alg/late-choice.c", "if (strlen(choice->user) == command->arg_len &&\n"
                                "\t\t    memcmp(choice->user, command->arg, command->arg_len) == 0)", "if (choice->user[0] != '\\0')")]),
    (542, "names that servers may read differently are refused",
     [("ftp-alg/plain-name.c", "if (len == 0 || name[0] == ' ' || name[len - 1] == ' ')", "if (len == 0)")]),
    (542, "and so are control characters and Telnet's",
     [("ftp-alg/plain-name.c", "if (byte < 0x20 || byte == 0x7f || byte == TELNET_IAC || byte == '\"')", "if (byte == 0)")]),
    # test_login_attacks.py
    (551, "a name that servers may read as another has no levels", [("ftp-alg/per-user.c", "return action->nper_user == 0 || ftp_name_is_plain(name, len);", "return action->nper_user == 0 || len < 10000;")]),
    (552, "only some codes log in", [("ftp-alg/reply.h", "return code == 230 || code == 232 || (password &&", "return (code >= 200 && code < 300) || (password &&")]),
    (552, "what is no login is no 2yz for the client", [("ftp-alg/login.c", "if (shown && ftp_reply_is_positive(code) && !login)", "if (false)")]),
    (553, "a certificate goes with its TLS session", [("gateway/worker/session-identity.c", "return session->client.ssl != NULL && identity->present ?", "return identity->present ?")]),
    (554, "levels of some users ask for the owner, too", [("gateway/tls/identity-users.c", "return ftp_action_strictest_login(ftp) != SECURE_LOGIN_NO_CLIENT_AUTH;", "return ftp->secure_login != SECURE_LOGIN_NO_CLIENT_AUTH;")]),
    (554, "and so do paths", [("gateway/tls/identity-users.c", "if (ftp->access[i].certificates.n > 0)", "if (false)")]),
    (543, "a server of the map that is down is not replaced",
     [("gateway/monitor/backends.c", " || (wish->only != 0 && index != wish->only - 1)", ""),
      ("gateway/worker/control-dial.c", " ||\n\t    (session->choice.only != 0 && index != session->choice.only - 1)", "")]),
]


def copy_tree(folder):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        source, target = os.path.join(ROOT, name), os.path.join(folder, name)
        if os.path.isfile(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)


def build(folder, how=PLAIN):
    return subprocess.run(["make", "-s", *how, "binaries", "attackers"], cwd=folder, capture_output=True, text=True)


def run(folder, number, how=PLAIN):
    built = os.path.join(folder, how[0].split("=")[1])
    env = {**os.environ, "ATTLSD": os.path.join(built, "attlsd"), "ATTLSCTL": os.path.join(built, "attlsctl"),
           "ATTLSD_BUILD": built, "ATTLSD_TEST_DEADLINE": "4", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", "pytest", "-c", "tests/system/pytest.ini", "tests/attacks",
                           "-q", "-x", "-p", "no:cacheprovider", "-k", "test_%02d_" % number], cwd=folder, env=env, capture_output=True, text=True)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def change(folder, edits):
    """Apply the edits; returns the original files, for undo()."""
    before = {}
    for name, text, replacement in edits:
        path = os.path.join(folder, name)
        content = read(path)
        before.setdefault(path, content)
        if content.count(text) != 1:
            undo(before)
            raise ValueError(f"{name}: the guard is not there as it was: {text!r}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(content.replace(text, replacement))
    return before


def undo(before):
    for path, content in before.items():
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)


def kill(folder, mutant):
    number, _, edits, *rest = mutant
    how = rest[0] if rest else PLAIN
    try:
        before = change(folder, edits)
    except (ValueError, OSError) as fault:
        return "stale", str(fault)
    try:
        built = build(folder, how)
        if built.returncode:
            return "does not build", built.stderr[-1500:]
        done = run(folder, number, how)
        if done.returncode == 1:
            return "yes", ""
        return "NO", done.stdout[-1500:] + done.stderr[-500:]
    finally:
        undo(before)


def tests_by_number():
    """{number: the files with tests of it}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "attacks", "test_*.py"))):
        for number in re.findall(r"^def test_(\d+)_", read(path), re.M):
            found.setdefault(int(number), set()).add(os.path.basename(path))
    return found


def check():
    """Prints the mutants that would not be built, or not be tested, and numbers of two incidents. Returns how many."""
    tested = tests_by_number()
    stale = 0
    for number, files in sorted(tested.items()):
        if len(files) > 1: # -k could not tell them apart, and the test of one would kill the mutant of the other
            print(f"tests/attacks: {number} is an incident in {' and in '.join(sorted(files))}: give one of them a free number")
            stale += 1
    for n, mutant in enumerate(MUTANTS):
        if any(other[:3] == mutant[:3] for other in MUTANTS[:n]):
            print(f"tests/attacks/mutants.py: {mutant[0]}, {mutant[1]}: it is there twice")
            stale += 1
    for number, guard, edits, *_ in MUTANTS:
        faults = [] if number in tested else [f"no test_{number:02d}_ in tests/attacks: name its test so"]
        for name, text, _ in edits:
            path = os.path.join(ROOT, name)
            times = read(path).count(text) if os.path.isfile(path) else 0
            if times != 1:
                faults.append(f"{times} times in {name}, not once: {text!r}: change the mutant as the guard was changed")
        for fault in faults:
            print(f"tests/attacks/mutants.py: {number}, {guard}: {fault}")
        stale += len(faults)
    return stale


def main():
    if sys.argv[1:] == ["--check"]:
        return 1 if check() else 0
    wanted = {int(word) for word in sys.argv[1:]}
    chosen = [mutant for mutant in MUTANTS if not wanted or mutant[0] in wanted]
    with tempfile.TemporaryDirectory(prefix="attlsd-mutants-") as top:
        os.chmod(top, 0o755)
        folders = [os.path.join(top, str(n)) for n in range(JOBS)]
        for folder in folders:
            copy_tree(folder)
        with futures.ThreadPoolExecutor(JOBS) as pool:
            for built in pool.map(build, folders):
                if built.returncode:
                    sys.exit(built.stderr)
            healthy = {number: run(folders[0], number).returncode for number in sorted({m[0] for m in chosen})}
            bad = [number for number, status in healthy.items() if status]
            if bad:
                sys.exit(f"these tests fail without any mutation: {bad}")

            def judge(folder, mutant):
                verdict = kill(folder, mutant)
                print(f"{mutant[0]}, {mutant[1]}: {verdict[0]}", file=sys.stderr, flush=True)
                return mutant, verdict

            def work(n):
                return [judge(folders[n], mutant) for mutant in chosen[n::JOBS]]
            results = [result for part in pool.map(work, range(JOBS)) for result in part]
    results.sort(key=lambda result: chosen.index(result[0]))
    width = max(len(mutant[1]) for mutant, _ in results)
    print(f"| incident | guard that was switched off{' ' * (width - 28)} | where{' ' * 19} | killed |")
    print(f"|---|{'-' * (width + 2)}|---|---|")
    for (number, guard, edits, *_), (verdict, _) in results:
        print(f"| {number:8} | {guard:{width}} | {edits[0][0]:24} | {verdict} |")
    for (number, guard, *_), (verdict, why) in results:
        if why:
            print(f"\n--- {number}, {guard}: {verdict}\n{why}", file=sys.stderr)
    return 0 if all(verdict == "yes" for _, (verdict, _) in results) else 1


if __name__ == "__main__":
    sys.exit(main())
