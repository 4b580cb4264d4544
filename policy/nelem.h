/* The number of elements of an array. The folder knows nothing of gateway/, so it has its own. */
#ifndef ATTLSD_POLICY_NELEM_H
#define ATTLSD_POLICY_NELEM_H

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

#endif
