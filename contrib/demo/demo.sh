#!/bin/sh
# Run attlsd in front of a real legacy FTP server that speaks cleartext only: first a demonstration, then try it yourself.
# The variables are those of common.sh.
set -eu

. "$(dirname "$0")/common.sh"

need_ports 2021 2121 9990 9080
sh "$top/contrib/fetch-server.sh" vsftpd "$servers/vsftpd" ||
	fail "the FTP server could not be fetched (apt-get download vsftpd)"

make_work

step "1. A legacy FTP server: vsftpd on port 2021, unmodified, cleartext only"
: >vsftpd.more
start_vsftpd 2021
echo "It is running. Anybody on the network path can read its passwords and files."

step "2. A CA and a server certificate, for this demo only"
make_certificates

step "3. attlsd in front of it: explicit TLS on port 2121, implicit TLS on port 9990"
cp "$top/contrib/policy.minimal.yaml" policy.yaml
chmod u+w policy.yaml
echo "daemon: { control_socket: control.sock, http: 127.0.0.1:9080 }   # for steps 9 to 11" >>policy.yaml
start_attlsd

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
number=$("$attlsctl" sessions -f policy.yaml --json | sed -n 's/^ *"session": \([0-9]*\),$/\1/p')
kill $slow

step "10. What did they say? The trace of that session, both sides of attlsd"
printf '%s$ attlsctl trace -f policy.yaml --last 200 %s%s\n' "$dim" "$number" "$plain"
"$attlsctl" trace -f policy.yaml --last 200 "$number" | tee trace.txt
grep -q 'RETR' trace.txt || fail "the trace does not show the download"

step "11. A page that shows what attlsd does: http://127.0.0.1:9080/"
run 'curl -sS http://127.0.0.1:9080/healthz; curl -sS http://127.0.0.1:9080/metrics | grep "^attlsd_transfers_total"'

end_if_once "Done: encrypted transfers in front of a server without TLS."

step "Your turn (in another terminal). Ctrl-C here ends the demo and removes its files"
cat <<END
  curl --cacert $work/ca.pem --ssl-reqd ftp://anonymous:demo@127.0.0.1:2121/pub/
  curl --cacert $work/ca.pem -T $work/report.bin ftps://anonymous:demo@127.0.0.1:9990/pub/
  lftp -e 'set ssl:ca-file $work/ca.pem; ls pub' -u anonymous,demo ftps://127.0.0.1:9990     if you have lftp
  openssl s_client -quiet -crlf -CAfile $work/ca.pem -starttls ftp -connect 127.0.0.1:2121     then type USER anonymous
  tail -f $work/attlsd.log                 the log of attlsd
  http://127.0.0.1:9080/                   the page, in a browser
  $attlsctl top -f $work/policy.yaml; $attlsctl trace -f $work/policy.yaml
  \$EDITOR $work/policy.yaml; $attlsctl reload -f $work/policy.yaml     change the policy
END
stay
