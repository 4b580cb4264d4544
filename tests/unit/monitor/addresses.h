/* Who takes part in the tests of the monitor. */
#ifndef ATTLSD_TESTS_UNIT_MONITOR_ADDRESSES_H
#define ATTLSD_TESTS_UNIT_MONITOR_ADDRESSES_H

#include "policy/ip.h"

#define ADDR(a, b, c, d)                                                                                     \
	{                                                                                                    \
		.family = IP_V4, .bytes = { a, b, c, d }                                                     \
	}
#define CLIENT	 ADDR(192, 0, 2, 7)
#define SERVER	 ADDR(198, 51, 100, 21)
#define STRANGER ADDR(203, 0, 113, 9)

#endif
