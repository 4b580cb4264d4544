"""docs/TUTORIAL.md: a shell runs its commands, in a copy of this system with a network of its own, and prints what the page shows."""
import os
import subprocess

import pytest

import net
import servers
import tutorial

# An overlay over / keeps every change in memory. What the package of vsftpd would bring, and systemd, are short stand-ins.
ENTER = r"""
set -e
top=$1 folder=$2 libpath=$3
new=$(mktemp -d)
mount -t tmpfs -o mode=755 tutorial "$new"
mkdir "$new/upper" "$new/work" "$new/root"
mount -t overlay -o "lowerdir=/,upperdir=$new/upper,workdir=$new/work" overlay "$new/root"
root=$new/root
mount --rbind /dev "$root/dev"; mount --rbind /proc "$root/proc"; mount --rbind /sys "$root/sys"
mount -t tmpfs run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mkdir -p "$root/tmp/attlsd" "$root/tmp/package"
mount --bind "$top" "$root/tmp/attlsd"; mount --bind "$folder" "$root/tmp/package"
mkdir -p "$root/run/attlsd" "$root/run/vsftpd/empty" "$root/srv/ftp" "$root/var/run/vsftpd/empty"
ip link set lo up
cat >"$root/usr/sbin/vsftpd" <<END
#!/bin/sh
LD_LIBRARY_PATH=$libpath exec /tmp/package/usr/sbin/vsftpd "\$@"
END
cat >"$root/usr/bin/systemctl" <<'END'
#!/bin/sh
case "$*" in
'restart vsftpd')
	{ cat /etc/vsftpd.conf; printf '%s\n' background=NO seccomp_sandbox=NO isolate=NO isolate_network=NO; } >/tmp/vsftpd.conf
	/usr/sbin/vsftpd /tmp/vsftpd.conf >/tmp/vsftpd.log 2>&1 &
	until ss -ltnH 'sport = :2021' | grep -q .; do [ -d /proc/$! ] || { cat /tmp/vsftpd.log; exit 1; }; done ;;
'enable --now attlsd')
	: >/tmp/attlsd.log
	/usr/local/sbin/attlsd >>/tmp/attlsd.log 2>&1 &
	until grep -q ' ready ' /tmp/attlsd.log; do [ -d /proc/$! ] || { cat /tmp/attlsd.log; exit 1; }; done ;;
*) exit 1 ;;
esac
END
chmod 755 "$root/usr/sbin/vsftpd" "$root/usr/bin/systemctl"
exec chroot "$root" sh -c 'id ftp >/dev/null 2>&1 || useradd --system --home-dir /srv/ftp ftp; cd /tmp/attlsd; unset B; export PATH=/usr/local/sbin:$PATH; . /dev/stdin'
"""


@pytest.mark.skipif(not net.IS_ROOT, reason="only root may make namespaces")
@pytest.mark.skipif(net.sanitized() or net.BUILD != os.path.join(net.ROOT, "build"), reason="the page installs what make builds")
def test_every_command_of_the_tutorial():
    try:
        folder, libpath = servers.fetch("vsftpd")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    steps = tutorial.steps()
    assert len(steps) >= 10
    # vsftpd and attlsd end with the namespace of their processes
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c", ENTER,
                           "enter", net.ROOT, folder, libpath], input=tutorial.script(steps), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=net.LIMIT)
    tutorial.check(steps, done.stdout)
