/* The number of elements of an array. policy/ may not include the same macro from gateway/. */
#ifndef ATTLSD_POLICY_NELEM_H
#define ATTLSD_POLICY_NELEM_H

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

#endif
