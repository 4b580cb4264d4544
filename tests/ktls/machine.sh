#!/bin/sh
# In the emulated machine of run.sh, as its first process: what a system sets up before anything
# else, then the tests; the last line that it prints is their status. $1 has the kernel's modules.
mkdir -p /dev/pts /dev/shm
mount -t devpts none /dev/pts
mount -t tmpfs none /dev/shm
mount -t tmpfs none /run
ip link set lo up
ulimit -n 65536
echo "kernel $(uname -r)"
mkdir -p /lib/modules
mount --bind "$1" /lib/modules # TLS asks for ciphers by name
modprobe tls
sh "$(dirname "$0")/tests.sh"
echo "ktls: $?"
echo o >/proc/sysrq-trigger
sleep 60
