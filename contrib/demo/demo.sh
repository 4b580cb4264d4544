#!/bin/sh
# Run attlsd in front of a real legacy FTP server that speaks cleartext only: first a demonstration, then try it yourself.
# B: build folder. DEMO=once: exit after the demonstration. Everything runs on 127.0.0.1; all files are removed at the end.
set -eu

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
trap 'exit 143' TERM HUP

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
for port in 2021 2121 9990; do
	! taken $port || fail "port $port is taken by another program; the demo needs 2021, 2121 and 9990"
done
sh "$top/contrib/fetch-server.sh" vsftpd "$servers/vsftpd" ||
	fail "the FTP server could not be fetched (apt-get download vsftpd)"

work=$(mktemp -d "${TMPDIR:-/tmp}/attlsd-demo.XXXXXX")
chmod 755 "$work"
cd "$work"
mkdir -p empty ftp/pub

step "1. A legacy FTP server: vsftpd on port 2021, unmodified, cleartext only"
if [ "$(id -u)" = 0 ]; then user=daemon; else user=$(id -un); fi
[ "$(id -u)" != 0 ] || chown daemon ftp/pub
cat >vsftpd.conf <<END
listen=YES
background=NO
listen_address=127.0.0.1
listen_port=2021
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
until_ready $vsftpd curl -s --max-time 5 -o /dev/null ftp://127.0.0.1:2021/ || fail "vsftpd did not start: $(cat vsftpd.log)"
echo "It is running. Anybody on the network path can read its passwords and files."

step "2. A CA and a server certificate, for this demo only"
run 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=attlsd demo CA" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem 2>/dev/null'
run 'openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout server.key -out server.pem 2>/dev/null'

step "3. attlsd in front of it: explicit TLS on port 2121, implicit TLS on port 9990"
cp "$top/contrib/policy.minimal.yaml" policy.yaml
chmod u+w policy.yaml
echo "daemon: { control_socket: control.sock }   # for step 9" >>policy.yaml
run 'cat policy.yaml'
printf '%s$ attlsd -f policy.yaml%s\n' "$dim" "$plain"
"$attlsd" -f policy.yaml 2>>attlsd.log </dev/null &
gateway=$!
pids="$gateway $vsftpd"
until_ready $gateway grep -q ' ready ' attlsd.log || fail "attlsd did not start: $(cat attlsd.log)"
grep ' ready ' attlsd.log

step "4. Explicit TLS: upload a file, download it again, and compare"
head -c 1048576 /dev/urandom >report.bin
run 'curl -sS --cacert ca.pem --ssl-reqd -T report.bin ftp://anonymous:demo@127.0.0.1:2121/pub/explicit.bin'
run 'curl -sS --cacert ca.pem --ssl-reqd -o explicit.bin ftp://anonymous:demo@127.0.0.1:2121/pub/explicit.bin'

step "5. Implicit TLS: the same"
run 'curl -sS --cacert ca.pem -T report.bin ftps://anonymous:demo@127.0.0.1:9990/pub/implicit.bin'
run 'curl -sS --cacert ca.pem -o implicit.bin ftps://anonymous:demo@127.0.0.1:9990/pub/implicit.bin'
run 'sha256sum report.bin ftp/pub/explicit.bin explicit.bin ftp/pub/implicit.bin implicit.bin'
for file in ftp/pub/explicit.bin explicit.bin ftp/pub/implicit.bin implicit.bin; do
	cmp -s report.bin $file || fail "$file differs from report.bin"
done
echo "All are the same: the file sent, the files on the server, and the files downloaded."

step "6. What crossed the network? The log shows TLS on control connections and PROT P (private) on data connections"
run 'grep -aoE "(tls|transfer) session=.*" attlsd.log'
[ "$(grep -ac 'transfer .* prot=P .*result=ok' attlsd.log)" = 4 ] || fail "not all four transfers were encrypted"

step "7. attlsd refuses a login in the clear"
run 'curl -sv --max-time 20 ftp://anonymous:demo@127.0.0.1:2121/pub/ 2>&1 | grep -a "^[<>] " | tee refused.txt || :'
grep -q '^< 530 ' refused.txt || fail "cleartext USER was not answered with 530"
! grep -q '^> PASS' refused.txt || fail "curl sent its password in the clear"

step "8. attlsd refuses a data connection in the clear (requested with PROT C)"
run 'curl -sv --max-time 20 --cacert ca.pem --ssl-reqd -Q "PROT C" ftp://anonymous:demo@127.0.0.1:2121/pub/ 2>&1 |
    grep -aE "^(> PROT C|< 534)" | tee refused.txt'
grep -q '^< 534 ' refused.txt || fail "PROT C was not answered with 534"

step "9. Who is connected, and what is being transferred? (during a slow download)"
truncate -s 64M ftp/pub/large.bin # more than the buffers on the path hold
curl -sS --limit-rate 1M --cacert ca.pem --ssl-reqd -o large.bin ftp://anonymous:demo@127.0.0.1:2121/pub/large.bin &
slow=$!
pids="$pids $slow"
until_ready $slow sh -c '"$0" sessions -f policy.yaml | grep -q RETR' "$attlsctl" || fail "the download is not among the sessions"
printf '%s$ attlsctl sessions -f policy.yaml%s\n' "$dim" "$plain"
"$attlsctl" sessions -f policy.yaml
kill $slow

if [ "${DEMO:-}" = once ]; then
	kill -TERM $gateway
	wait $gateway || fail "attlsd ended with an error: $(tail -n 5 attlsd.log)"
	step "Done: encrypted transfers in front of a server without TLS."
	exit 0
fi

step "Your turn (in another terminal). Ctrl-C here ends the demo and removes its files"
cat <<END
  curl --cacert $work/ca.pem --ssl-reqd ftp://anonymous:demo@127.0.0.1:2121/pub/
  curl --cacert $work/ca.pem -T $work/report.bin ftps://anonymous:demo@127.0.0.1:9990/pub/
  lftp -e 'set ssl:ca-file $work/ca.pem; ls pub' -u anonymous,demo ftps://127.0.0.1:9990     if you have lftp
  openssl s_client -quiet -crlf -CAfile $work/ca.pem -starttls ftp -connect 127.0.0.1:2121     then type USER anonymous
  tail -f $work/attlsd.log                 the log of attlsd
  $attlsctl sessions -f $work/policy.yaml
  \$EDITOR $work/policy.yaml; $attlsctl reload -f $work/policy.yaml     change the policy
END
trap 'echo; exit 0' INT
wait $gateway || fail "attlsd ended: $(tail -n 5 attlsd.log)"
