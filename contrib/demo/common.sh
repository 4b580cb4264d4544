# What the demonstrations share: paths, messages, processes that end with the script. Sourced with `.` after `set -eu`.
# B: build folder. DEMO=once: exit after the demonstration. Everything runs on 127.0.0.1; all files are removed at the end.

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$top" && cd "${B:-build}" && pwd)
attlsd=$build/attlsd
attlsctl=$build/attlsctl
servers=${ATTLSD_SERVERS:-$top/build/servers}
pids=
work=

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); fi

step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

clean() {
	status=$?
	trap '' INT TERM HUP
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	for pid in $pids; do wait "$pid" 2>/dev/null || :; done
	[ -z "$work" ] || rm -rf "$work"
	exit $status
}
trap clean EXIT
trap 'echo; exit 130' INT
trap 'exit 143' TERM HUP PIPE

# Print a command, then run it.
run() {
	printf '%s$ %s%s\n' "$dim" "$*" "$plain"
	sh -c "$*" || fail "that command failed"
}

# Is anybody listening on this TCP port?
taken() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "$1")" \
		'$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}

# Repeat the command until it succeeds, for at most ten seconds and only while the process runs.
until_ready() {
	process=$1
	shift
	tries=0
	until "$@"; do
		kill -0 "$process" 2>/dev/null || return 1
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

[ -x "$attlsd" ] || fail "$attlsd is missing: run make"

# The demo needs these ports.
need_ports() {
	for port in "$@"; do
		! taken "$port" || fail "port $port is taken by another program; the demo needs $*"
	done
}

# The folder that holds everything; it becomes the current one.
make_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/attlsd-demo.XXXXXX")
	chmod 755 "$work"
	cd "$work"
}

# vsftpd on this port, with what is in vsftpd.more as well. Sets the variable vsftpd to its process.
start_vsftpd() {
	mkdir -p empty ftp/pub
	if [ "$(id -u)" = 0 ]; then user=daemon; else user=$(id -un); fi
	[ "$(id -u)" != 0 ] || chown daemon ftp/pub
	cat - vsftpd.more >vsftpd.conf <<-END
		listen=YES
		background=NO
		listen_address=127.0.0.1
		listen_port=$1
		anonymous_enable=YES
		local_enable=NO
		write_enable=YES
		anon_root=$work/ftp
		anon_upload_enable=YES
		anon_other_write_enable=YES
		anon_world_readable_only=NO
		anon_umask=022
		ftp_username=$user
		run_as_launching_user=$([ "$(id -u)" = 0 ] && echo NO || echo YES)
		nopriv_user=nobody
		secure_chroot_dir=$work/empty
		connect_from_port_20=NO
		xferlog_enable=NO
		seccomp_sandbox=NO
		isolate=NO
		isolate_network=NO
	END
	LD_LIBRARY_PATH=$(cat "$servers/vsftpd/libpath") "$servers/vsftpd/usr/sbin/vsftpd" "$work/vsftpd.conf" \
		>vsftpd.log 2>&1 </dev/null &
	vsftpd=$!
	pids=$vsftpd
	until_ready $vsftpd taken "$1" || fail "vsftpd did not start: $(cat vsftpd.log)"
}

# A CA, and a certificate that it has signed for localhost: ca.pem, server.pem, server.key.
make_certificates() {
	run 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=attlsd demo CA" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem 2>/dev/null'
	run 'openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout server.key -out server.pem 2>/dev/null'
}

# attlsd with policy.yaml. Sets the variable gateway to its process.
start_attlsd() {
	run 'cat policy.yaml'
	printf '%s$ attlsd -f policy.yaml%s\n' "$dim" "$plain"
	"$attlsd" -f policy.yaml 2>>attlsd.log </dev/null &
	gateway=$!
	pids="$gateway $vsftpd"
	until_ready $gateway grep -q ' ready ' attlsd.log || fail "attlsd did not start: $(cat attlsd.log)"
	grep ' ready ' attlsd.log
}

# With DEMO=once: end attlsd, say this, and exit.
end_if_once() {
	[ "${DEMO:-}" = once ] || return 0
	kill -TERM "$gateway"
	wait "$gateway" || fail "attlsd ended with an error: $(tail -n 5 attlsd.log)"
	step "$*"
	exit 0
}

# Until Ctrl-C.
stay() {
	trap 'echo; exit 0' INT
	wait "$gateway" || fail "attlsd ended: $(tail -n 5 attlsd.log)"
}
