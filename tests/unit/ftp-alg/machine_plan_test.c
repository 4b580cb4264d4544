/*
 * Agreeing on a data connection: what the client asks for, times what the
 * server speaks, and what either may not say.
 */
#include "tests/unit/machine-script.h"

static const struct ftp_action reject_port = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
					       .unknown_commands = UNKNOWN_COMMANDS_PASS,
					       .secure_ftp = SECURE_FTP_ALLOWED,
					       .data_policy_scope = DATA_POLICY_PROTECTED,
					       .portcommand = PORTCOMMAND_REJECT };

static const struct ftp_action unrestricted = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.portcommand = PORTCOMMAND_ACCEPT,
	.portcommandipaddr = REDIRECT_UNRESTRICTED,
	.portcommandport = LOWPORTS_UNRESTRICTED,
};

#define V6_CLIENT "[2001:db8::7]:40000"
#define V6_SERVER "2001:db8:1::21"
#define V6	  .client = V6_CLIENT

static const struct script_case passive[] = {
	{ "PASV, EPSV",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nC PASV\n  hold\n"
	  "S 229 Entering (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "C NOOP\n  hold\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n" },
	{ "EPSV, EPSV",
	  { 0 },
	  LOGGED_IN,
	  "C EPSV\n  s EPSV\nS 229 Entering (!!!2000!)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 229 Entering Extended Passive Mode (|||5001|)\n" },
	{ "PASV, PASV; the server's address is not looked at",
	  { .modes = FTP_MODE_PASV },
	  LOGGED_IN,
	  "C PASV\n  s PASV\nS 227 Entering 192,0,2,99,8,1\n  dial server 10.0.0.1:2049\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n" },
	{ "EPSV, EPRT",
	  { .modes = FTP_MODE_EPRT },
	  LOGGED_IN,
	  "C EPSV\n  listen server\nC NOOP\n  hold\nL server 10.0.0.9:6001\n  s EPRT |1|10.0.0.9|6001|\n"
	  "S 200 ok\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 229 Entering Extended Passive Mode (|||5001|)\n" },
	{ "PASV, PORT",
	  { .modes = FTP_MODE_PORT },
	  LOGGED_IN,
	  "C PASV\n  listen server\nL server 10.0.0.9:6001\n  s PORT 10,0,0,9,23,113\n"
	  "S 200 ok\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n" },
	{ "no port for the client",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client -\n  close-data\n  c 425 No data port is free, try again later.\n"
	  "C RETR x\n  c 425 Use PASV, EPSV, PORT or EPRT first.\n" },
	{ "no port for the server",
	  { .modes = FTP_MODE_PORT },
	  LOGGED_IN,
	  "C PASV\n  listen server\nL server -\n  close-data\n  c 425 No data port is free, try again "
	  "later.\n"
	  "C NOOP\n  s NOOP\n" },
	{ "answers to nothing",
	  { 0 },
	  LOGGED_IN,
	  "L client 192.0.2.1:5001\nL server 10.0.0.9:6001\nL server -\n" },
	{ "a second PASV drops the first",
	  { 0 },
	  PASSIVE,
	  "C PASV\n  close-data\n  s EPSV\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  listen "
	  "client\n" },
	{ "several lines",
	  { 0 },
	  LOGGED_IN,
	  "C EPSV\n  s EPSV\nS 229-here (|||1|)\nS  it\nS 229 is (|||2000|)\n  dial server 10.0.0.1:2000\n"
	  "  listen client\n" },
	{ "1yz before",
	  { 0 },
	  LOGGED_IN,
	  "C EPSV\n  s EPSV\nS 125 wait\nS 229 is (|||2000|)\n  dial server 10.0.0.1:2000\n  listen "
	  "client\n" },
};

static const struct script_case active[] = {
	{ "PORT, EPSV",
	  { 0 },
	  LOGGED_IN,
	  "C PORT 192,0,2,7,156,65\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n"
	  "  dial client 192.0.2.7:40001\n  c 200 PORT command successful.\n" },
	{ "EPRT, PORT",
	  { .modes = FTP_MODE_PORT },
	  LOGGED_IN,
	  "C EPRT |1|192.0.2.7|40001|\n  listen server\nL server 10.0.0.9:6001\n  s PORT 10,0,0,9,23,113\n"
	  "S 200 ok\n  dial client 192.0.2.7:40001\n  c 200 EPRT command successful.\n" },
	{ "EPRT with a mapped address",
	  { 0 },
	  LOGGED_IN,
	  "C EPRT |2|::ffff:192.0.2.7|40001|\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n"
	  "  dial client 192.0.2.7:40001\n  c 200 EPRT command successful.\n" },
	{ "a refused PORT leaves the plan alone",
	  { 0 },
	  PASSIVE,
	  "C PORT 192,0,2,8,156,65\n  c 504 PORT must name the address of this control connection.\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
};

static const struct script_case fallback[] = {
	{ "EPSV unknown, PASV is taken and remembered",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 500 what?\n  s PASV\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n"
	  "  listen client\nL client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C EPSV\n  close-data\n  s PASV\nS 227 (10,0,0,1,8,1)\n  dial server 10.0.0.1:2049\n"
	  "  listen client\n" },
	{ "a refusal of several lines",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 502-not\nS 229 (|||2000|)\nS 502 here\n  s PASV\n" },
	{ "one after the other to the end, then anew",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 502 no\n  s PASV\nS 550 no\n  listen server\n"
	  "L server 10.0.0.9:6001\n  s EPRT |1|10.0.0.9|6001|\nS 522 no\n  close-data\n  listen server\n"
	  "L server 10.0.0.9:6002\n  s PORT 10,0,0,9,23,114\nS 500 no\n  close-data\n  close-data\n"
	  "  c 425 The FTP server offers no way to open a data connection.\n"
	  "C EPSV\n  s EPSV\nS 229 (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n" },
	{ "501 may be about the session: nothing is remembered",
	  { .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  LOGGED_IN "C RNFR x\nS 350 to?\n",
	  "C PASV\n  s EPSV\nS 501 Bad sequence\n  s PASV\nS 501 Bad sequence\n  close-data\n"
	  "  c 501 Bad sequence\n"
	  "C PASV\n  s EPSV\nS 501 Bad sequence\n  s PASV\nS 227 (10,0,0,1,8,0)\n"
	  "  dial server 10.0.0.1:2048\n  listen client\nL client 192.0.2.1:5001\n"
	  "  c 227 Entering Passive Mode (192,0,2,1,19,137).\nC PASV\n  close-data\n  s EPSV\n" },
	{ "501 in every way, the last one active",
	  { .modes = FTP_MODE_PASV | FTP_MODE_PORT },
	  LOGGED_IN "C RNFR x\nS 350 to?\n",
	  "C EPSV\n  s PASV\nS 501 Bad\n  listen server\nL server 10.0.0.9:6001\n"
	  "  s PORT 10,0,0,9,23,113\nS 501-Bad\nS 501 sequence\n  close-data\n  c 501 sequence\n" },
	{ "known before", { .modes_refused = FTP_MODE_EPSV }, LOGGED_IN, "C EPSV\n  s PASV\n" },
	{ "refused to another session only",
	  { .modes = FTP_MODE_EPSV | FTP_MODE_PASV | FTP_MODE_PORT,
	    .modes_refused = FTP_MODE_EPSV | FTP_MODE_PASV },
	  LOGGED_IN "C PASV\nL server 10.0.0.9:6001\nS 200 ok\nL client 192.0.2.1:5001\n",
	  "C RETR x\n  s RETR x\n  start download clear\nS 425 no\n  c 425 no\n  refused\n"
	  "C PASV\n  close-data\n  s EPSV\nS 229 (|||2000|)\n  dial server 10.0.0.1:2000\n"
	  "  listen client\n" },
	{ "policy wants PORT only",
	  { .modes = FTP_MODE_PORT, .modes_refused = FTP_MODE_PORT },
	  LOGGED_IN,
	  "C EPSV\n  listen server\nL server 10.0.0.9:6001\n  s PORT 10,0,0,9,23,113\nS 502 no\n"
	  "  close-data\n  close-data\n  c 425 The FTP server offers no way to open a data connection.\n" },
	{ "\"not now\" is passed to the client and not remembered",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 425-busy\nS 425 try later\n  close-data\n  c 425 try later\nC PASV\n  s "
	  "EPSV\n" },
	{ "530",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 530 who?\n  close-data\n  c 530 who?\nC PASV\n  s EPSV\n" },
	{ "503",
	  { 0 },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 503 no\n  close-data\n  c 503 no\nC PASV\n  s EPSV\n" },
	{ "421", { 0 }, LOGGED_IN, "C PASV\n  s EPSV\nS 421 bye\n  c 421 bye\n  close server-421\n" },
};

#define BAD_REPLY "  close-data\n  c 425 The FTP server named no usable data port.\n"

#define EPSV_ONLY                                                                                            \
	{                                                                                                    \
		.modes = FTP_MODE_EPSV                                                                       \
	}
#define PASV_ONLY                                                                                            \
	{                                                                                                    \
		.modes = FTP_MODE_PASV                                                                       \
	}

static const struct script_case junk[] = {
	{ "228", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 228 (4,4,10,0,0,1,2,8,0)\n" BAD_REPLY },
	{ "200", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 200 (|||2000|)\n" BAD_REPLY },
	{ "300", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 300 (|||2000|)\n" BAD_REPLY },
	{ "no port", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 229 ok\n" BAD_REPLY },
	{ "code alone", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 229\n" BAD_REPLY },
	{ "code alone, 227", PASV_ONLY, LOGGED_IN "C EPSV\n", "S 227\n" BAD_REPLY },
	{ "port 0", PASV_ONLY, LOGGED_IN "C EPSV\n", "S 227 (10,0,0,1,0,0)\n" BAD_REPLY },
	{ "port 22", EPSV_ONLY, LOGGED_IN "C EPSV\n", "S 229 (|||22|)\n" BAD_REPLY },
	{ "port 1023", PASV_ONLY, LOGGED_IN "C EPSV\n", "S 227 (10,0,0,1,3,255)\n" BAD_REPLY },
	{ "low ports if policy allows them",
	  { .low_ports = true },
	  LOGGED_IN "C EPSV\n",
	  "S 229 (|||22|)\n  dial server 10.0.0.1:22\n  listen client\n" },
	{ "but never port 0",
	  { .low_ports = true, .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  LOGGED_IN "C EPSV\n",
	  "S 229 (|||0|)\n  s PASV\nS 227 (10,0,0,1,0,0)\n" BAD_REPLY },
	{ "port 1024",
	  { 0 },
	  LOGGED_IN "C EPSV\n",
	  "S 229 (|||1024|)\n  dial server 10.0.0.1:1024\n  listen client\n" },
	{ "five numbers", PASV_ONLY, LOGGED_IN "C EPSV\n", "S 227 (10,0,0,1,8)\n" BAD_REPLY },
	{ "256", PASV_ONLY, LOGGED_IN "C EPSV\n", "S 227 (10,0,0,256,8,0)\n" BAD_REPLY },
	{ "it is asked again", EPSV_ONLY, LOGGED_IN "C EPSV\nS 229 ok\n", "C EPSV\n  s EPSV\n" },
	{ "227 to EPSV where policy wants EPSV only", EPSV_ONLY, LOGGED_IN "C EPSV\n",
	  "S 227 (10,0,0,1,8,0)\n" BAD_REPLY },
	{ "227 to EPSV from an IPv6 server",
	  { .server = V6_SERVER, .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  LOGGED_IN "C EPSV\n",
	  "S 227 (10,0,0,1,8,0)\n" BAD_REPLY },
};

/* Some servers answer an unknown command with a 2yz, or treat EPSV as PASV. */
static const struct script_case no_port[] = {
	{ "200 to EPSV: PASV, now and the next time",
	  { 0 },
	  LOGGED_IN,
	  "C EPSV\n  s EPSV\nS 200 ok\n  s PASV\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n"
	  "  listen client\nL client 192.0.2.1:5001\n  c 229 Entering Extended Passive Mode (|||5001|)\n"
	  "C EPSV\n  close-data\n  s PASV\n" },
	{ "a malformed 229", { 0 }, LOGGED_IN "C PASV\n", "S 229 Entering (|||)\n  s PASV\n" },
	{ "a 229 of several lines without a port",
	  { 0 },
	  LOGGED_IN "C PASV\n",
	  "S 229-Entering\nS 229 now\n  s PASV\n" },
	{ "a low port is an attack: no second chance",
	  { 0 },
	  LOGGED_IN "C PASV\n",
	  "S 229 (|||1023|)\n" BAD_REPLY "C PASV\n  s EPSV\n" },
	{ "350", { 0 }, LOGGED_IN "C PASV\n", "S 350 more\n  s PASV\n" },
	{ "227 to EPSV is used, and PASV is sent the next time",
	  { 0 },
	  LOGGED_IN "C PASV\n",
	  "S 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C EPSV\n  close-data\n  s PASV\n" },
	{ "the address of a 227 to EPSV is not looked at",
	  { 0 },
	  LOGGED_IN "C EPSV\n",
	  "S 227 (192,0,2,99,8,0)\n  dial server 10.0.0.1:2048\n  listen client\n" },
	{ "but its port is", { 0 }, LOGGED_IN "C EPSV\n", "S 227 (10,0,0,1,0,22)\n" BAD_REPLY },
	{ "229 to PASV", PASV_ONLY, LOGGED_IN "C EPSV\n",
	  "S 229 (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n" },
	{ "neither has a port: active, then the client gets an error",
	  { 0 },
	  LOGGED_IN "C PASV\n",
	  "S 200 ok\n  s PASV\nS 227 ok\n  listen server\nL server 10.0.0.9:6001\n"
	  "  s EPRT |1|10.0.0.9|6001|\nS 500 no\n  close-data\n  listen server\n"
	  "L server 10.0.0.9:6002\n  s PORT 10,0,0,9,23,114\nS 500 no\n  close-data\n" BAD_REPLY
	  "C PASV\n  s EPSV\nS 200 ok\n  s PASV\nS 227 ok\n  listen server\n" },
	{ "EPSV has no port, PASV is not possible now",
	  { 0 },
	  LOGGED_IN "C PASV\n",
	  "S 200 ok\n  s PASV\nS 425 no port free\n  close-data\n  c 425 no port free\n"
	  "C PASV\n  s PASV\n" },
	{ "PORT is answered by 350",
	  { .modes = FTP_MODE_PORT },
	  LOGGED_IN "C PASV\nL server 10.0.0.9:6001\n",
	  "S 350 more\n  close-data\n" BAD_REPLY },
};

#define BOUNCE	 "  c 504 PORT must name the address of this control connection.\n"
#define LOW_PORT "  c 504 PORT must not name a port below 1024.\n"

static const struct script_case bounce[] = {
	{ "other addresses",
	  { 0 },
	  LOGGED_IN,
	  "C PORT 192,0,2,8,156,65\n" BOUNCE "C PORT 10,0,0,1,0,21\n" BOUNCE
	  "C PORT 127,0,0,1,156,65\n" BOUNCE "C EPRT |1|10.0.0.1|40001|\n" BOUNCE
	  "C EPRT |2|::ffff:10.0.0.1|40001|\n" BOUNCE },
	{ "low ports",
	  { 0 },
	  LOGGED_IN,
	  "C PORT 192,0,2,7,0,0\n" LOW_PORT "C PORT 192,0,2,7,0,22\n" LOW_PORT
	  "C PORT 192,0,2,7,3,255\n" LOW_PORT "C EPRT |1|192.0.2.7|1023|\n" LOW_PORT },
	{ "syntax",
	  { 0 },
	  LOGGED_IN,
	  "C PORT\n  c 501 PORT needs h1,h2,h3,h4,p1,p2.\n"
	  "C PORT 192,0,2,7,156\n  c 501 PORT needs h1,h2,h3,h4,p1,p2.\n"
	  "C PORT 192,0,2,7,156,65,1\n  c 501 PORT needs h1,h2,h3,h4,p1,p2.\n"
	  "C PORT 192,0,2,256,156,65\n  c 501 PORT needs h1,h2,h3,h4,p1,p2.\n"
	  "C EPRT\n  c 501 EPRT needs |family|address|port|.\n"
	  "C EPRT |1|192.0.2.7|65536|\n  c 501 EPRT needs |family|address|port|.\n"
	  "C EPRT |1|2001:db8::7|40001|\n  c 501 EPRT needs |family|address|port|.\n" },
	{ "families",
	  { 0 },
	  LOGGED_IN,
	  "C EPRT |3|x|40001|\n  c 522 Network protocol not supported, use (1)\n"
	  "C EPRT |2|2001:db8::7|40001|\n  c 522 Network protocol not supported, use (1)\n" },
	{ "rejected as a whole",
	  { .action = &reject_port },
	  LOGGED_IN,
	  "C PORT 192,0,2,7,156,65\n  c 504 Policy rejects PORT and EPRT: use PASV or EPSV.\n"
	  "C EPRT |1|192.0.2.7|40001|\n  c 504 Policy rejects PORT and EPRT: use PASV or EPSV.\n" },
	{ "allowed by policy",
	  { .action = &unrestricted },
	  LOGGED_IN,
	  "C PORT 192,0,2,8,0,21\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n"
	  "  dial client 192.0.2.8:21\n  c 200 PORT command successful.\n" },
	{ "but never port 0", { .action = &unrestricted }, LOGGED_IN, "C PORT 192,0,2,8,0,0\n" LOW_PORT },
};

static const struct script_case epsv[] = {
	{ "1, 2, 3 and others, IPv4",
	  { 0 },
	  LOGGED_IN,
	  "C EPSV 2\n  c 522 Network protocol not supported, use (1)\n"
	  "C EPSV 3\n  c 522 Network protocol not supported, use (1)\n"
	  "C EPSV x\n  c 501 EPSV takes 1, 2, ALL or nothing.\n"
	  "C EPSV 11\n  c 501 EPSV takes 1, 2, ALL or nothing.\n"
	  "C EPSV 1\n  s EPSV\n" },
	{ "1, 2, 3, IPv6",
	  { V6 },
	  LOGGED_IN,
	  "C EPSV 1\n  c 522 Network protocol not supported, use (2)\n"
	  "C EPSV 3\n  c 522 Network protocol not supported, use (2)\n"
	  "C EPSV 2\n  s EPSV\n" },
	{ "ALL",
	  { 0 },
	  PASSIVE,
	  "C EPSV all\n  c 200 EPSV ALL ok.\nC PASV\n  c 503 Not allowed after EPSV ALL.\n"
	  "C PORT 192,0,2,7,156,65\n  c 503 Not allowed after EPSV ALL.\n"
	  "C EPRT |1|192.0.2.7|40001|\n  c 503 Not allowed after EPSV ALL.\n"
	  "C EPSV ALL\n  c 200 EPSV ALL ok.\nC EPSV\n  close-data\n  s EPSV\n" },
	{ "the server's leg is free after ALL",
	  { .modes = FTP_MODE_PORT },
	  LOGGED_IN "C EPSV ALL\n",
	  "C EPSV\n  listen server\nL server 10.0.0.9:6001\n  s PORT 10,0,0,9,23,113\n" },
	{ "REIN forgets ALL",
	  { 0 },
	  LOGGED_IN "C EPSV ALL\nC REIN\nS 220 new\nC USER u\nS 230 in\n",
	  "C PASV\n  s EPSV\n" },
};

static const struct script_case families[] = {
	{ "IPv6 client, IPv4 server",
	  { V6 },
	  LOGGED_IN,
	  "C PASV\n  c 425 PASV cannot express an IPv6 address: use EPSV.\n"
	  "C PORT 192,0,2,7,156,65\n" BOUNCE
	  "C EPSV\n  s EPSV\nS 500 no\n  s PASV\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n"
	  "  listen client\nL client [2001:db8::1]:5001\n"
	  "  c 229 Entering Extended Passive Mode (|||5001|)\n" },
	{ "IPv6 client with EPRT",
	  { V6 },
	  LOGGED_IN,
	  "C EPRT |1|192.0.2.7|40001|\n  c 522 Network protocol not supported, use (2)\n"
	  "C EPRT |2|2001:db8::8|40001|\n" BOUNCE "C EPRT |2|2001:db8::7|40001|\n  s EPSV\n"
	  "S 229 (|||2000|)\n  dial server 10.0.0.1:2000\n  dial client [2001:db8::7]:40001\n"
	  "  c 200 EPRT command successful.\n" },
	{ "IPv4 client, IPv6 server: no PASV, no PORT",
	  { .server = V6_SERVER },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 500 no\n  listen server\nL server [2001:db8:1::9]:6001\n"
	  "  s EPRT |2|2001:db8:1::9|6001|\nS 500 no\n  close-data\n  close-data\n"
	  "  c 425 The FTP server offers no way to open a data connection.\n" },
	{ "IPv4 client, IPv6 server: EPSV",
	  { .server = V6_SERVER },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 229 (|||2000|)\n  dial server [2001:db8:1::21]:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n" },
	{ "policy leaves only what IPv6 cannot do",
	  { .server = V6_SERVER, .modes = FTP_MODE_PASV | FTP_MODE_PORT },
	  LOGGED_IN,
	  "C EPSV\n  c 425 The FTP server offers no way to open a data connection.\n" },
};

#define DIALS                                                                                                \
	{                                                                                                    \
		.dials = true                                                                                \
	}
#define UNREACHABLE "  c 425 Can't open data connection to the FTP server.\n"

/* The server's port is dialled before the server gets the transfer command. */
static const struct script_case dialled[] = {
	{ "the first transfer waits for the server's leg, later ones do not", DIALS, PASSIVE,
	  "C RETR x\n  hold\n  dial now\nC RETR x\n  hold\nP up\nC RETR x\n  s RETR x\n"
	  "  start download clear\nS 150 go\n  c 150 go\n  go\nD ok\nS 226 done\n  c 226 done\n"
	  "  close-data\n"
	  "C PASV\n  s EPSV\nS 229 (|||2001|)\n  dial server 10.0.0.1:2001\n  listen client\n"
	  "L client 192.0.2.1:5002\n  c 227 Entering Passive Mode (192,0,2,1,19,138).\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "dialled before: it does not wait", DIALS, PASSIVE "P up\n",
	  "C STOR x\n  s STOR x\n  start upload clear\n" },
	{ "EPSV's port cannot be reached: PASV, and the client does not notice", DIALS, PASSIVE,
	  "C RETR x\n  hold\n  dial now\nP down\n  s PASV\nC RETR x\n  hold\n"
	  "S 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\nC RETR x\n  hold\n  dial now\n"
	  "P up\nC RETR x\n  s RETR x\n  start download clear\nS 150 go\n  c 150 go\n  go\nD ok\n"
	  "S 226 done\n  c 226 done\n  close-data\n"
	  "C EPSV\n  s PASV\n" },
	{ "the same before the client has asked", DIALS, PASSIVE,
	  "P down\n  s PASV\nC RETR x\n  hold\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n"
	  "P up\nC RETR x\n  s RETR x\n  start download clear\n" },
	{ "the server was busy then: before the transfer", DIALS, PASSIVE "C CWD x\n",
	  "P down\nS 250 ok\n  c 250 ok\nC RETR x\n  hold\n  s PASV\nC RETR x\n  hold\n"
	  "S 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\nP up\nC RETR x\n  s RETR x\n"
	  "  start download clear\n" },
	{ "PASV's port cannot be reached: EPSV",
	  { .dials = true, .modes_refused = FTP_MODE_EPSV },
	  LOGGED_IN "C PASV\nS 227 (10,0,0,1,8,0)\nL client 192.0.2.1:5001\n",
	  "P down\n  listen server\nL server 10.0.0.9:6001\n  s EPRT |1|10.0.0.9|6001|\nS 200 ok\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "no way is left: the server does not get the command",
	  { .dials = true, .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  PASSIVE,
	  "C STOR x\n  hold\n  dial now\nP down\n  s PASV\nS 227 (10,0,0,1,8,0)\n"
	  "  dial server 10.0.0.1:2048\nC STOR x\n  hold\n  dial now\nP down\n"
	  "C STOR x\n  close-data\n" UNREACHABLE "C PASV\n  s EPSV\n" },
	{ "the client gets the failure only with its transfer command",
	  { .dials = true, .modes = FTP_MODE_EPSV },
	  PASSIVE,
	  "P down\nC NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nC RETR x\n  close-data\n" UNREACHABLE },
	{ "the other way is refused: no reply to that reaches the client",
	  { .dials = true, .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  PASSIVE,
	  "P down\n  s PASV\nS 502 no\nC RETR x\n  close-data\n" UNREACHABLE "C PASV\n  s EPSV\n" },
	{ "the other way is not possible now",
	  { .dials = true, .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  PASSIVE,
	  "P down\n  s PASV\nS 425 busy\nC RETR x\n  close-data\n" UNREACHABLE },
	{ "an active client", DIALS, LOGGED_IN "C PORT 192,0,2,7,156,65\nS 229 (|||2000|)\n",
	  "P down\n  s PASV\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\nP up\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "a new plan forgets it",
	  { .dials = true, .modes = FTP_MODE_EPSV },
	  PASSIVE "P down\n",
	  "C PASV\n  close-data\n  s EPSV\nS 229 (|||2001|)\n  dial server 10.0.0.1:2001\n"
	  "  listen client\nL client 192.0.2.1:5002\n"
	  "  c 227 Entering Passive Mode (192,0,2,1,19,138).\nC RETR x\n  hold\n  dial now\nP up\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "no refusal spoils a way that has worked",
	  { .modes = FTP_MODE_EPSV | FTP_MODE_PASV },
	  PASSIVE "P up\n",
	  "C PASV\n  close-data\n  s EPSV\nS 522 no\n  s PASV\nS 502 no\n  close-data\n"
	  "  c 425 The FTP server offers no way to open a data connection.\nC PASV\n  s EPSV\n" },
	{ "the server cannot dial an active way: the next one",
	  { .modes = FTP_MODE_EPRT | FTP_MODE_PORT },
	  LOGGED_IN "C PASV\nL server 10.0.0.9:6001\nS 200 ok\nL client 192.0.2.1:5001\n",
	  "C RETR x\n  s RETR x\n  start download clear\nS 425 no\n  c 425 no\n  refused\n"
	  "C PASV\n  close-data\n  listen server\nL server 10.0.0.9:6002\n  s PORT 10,0,0,9,23,114\n" },
};

#define TEST(cases)                                                                                          \
	static void cases##_dialogues(void **state)                                                          \
	{                                                                                                    \
		(void)state;                                                                                 \
		SCRIPT_CHECK_ALL(cases);                                                                     \
	}
TEST(passive)
TEST(active)
TEST(fallback)
TEST(junk)
TEST(no_port)
TEST(dialled)
TEST(bounce)
TEST(epsv)
TEST(families)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passive_dialogues),  cmocka_unit_test(active_dialogues),
		cmocka_unit_test(fallback_dialogues), cmocka_unit_test(junk_dialogues),
		cmocka_unit_test(bounce_dialogues),   cmocka_unit_test(epsv_dialogues),
		cmocka_unit_test(families_dialogues), cmocka_unit_test(no_port_dialogues),
		cmocka_unit_test(dialled_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
