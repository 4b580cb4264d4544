/*
 * The facade of ftp-alg/: the only header of this folder that gateway/ includes.
 * The functions of machine.h say what a machine knows; gateway/ does not read
 * the members of its struct.
 */
#ifndef ATTLSD_FTP_ALG_FTP_ALG_H
#define ATTLSD_FTP_ALG_FTP_ALG_H

#include "ftp-alg/access.h"
#include "ftp-alg/change.h"
#include "ftp-alg/cursor.h"
#include "ftp-alg/endpoint.h"
#include "ftp-alg/frame.h"
#include "ftp-alg/line.h"
#include "ftp-alg/local-reply.h"
#include "ftp-alg/machine.h"
#include "ftp-alg/out.h"
#include "ftp-alg/progress.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/representation.h"
#include "ftp-alg/shown.h"
#include "ftp-alg/verb.h"
#include "ftp-alg/ways.h"

#endif
