#!/bin/sh
# A client without TLS, attlsd, and a partner's FTPS server that demands TLS: first a demonstration, then try it yourself.
# The variables are those of common.sh.
set -eu

. "$(dirname "$0")/common.sh"

need_ports 2021 2121
sh "$top/contrib/fetch-server.sh" vsftpd "$servers/vsftpd" ||
	fail "the FTP server could not be fetched (apt-get download vsftpd)"

make_work

step "1. A CA and a certificate for the partner's server, for this demo only"
make_certificates

step "2. The partner: vsftpd on port 2021, which demands TLS on every connection, and resumed sessions on data connections"
cat >vsftpd.more <<END
ssl_enable=YES
rsa_cert_file=$work/server.pem
rsa_private_key_file=$work/server.key
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
END
start_vsftpd 2021
run 'curl -sv --max-time 20 ftp://anonymous:demo@localhost:2021/pub/ 2>&1 | grep -a "^[<>] " | tee refused.txt || :'
grep -q '^< 530 ' refused.txt || fail "vsftpd let a client in without TLS"
echo "A client that speaks no TLS cannot log in there."

step "3. What does the server want? attlsctl probe finds out, and proposes a policy"
printf '%s$ attlsctl probe --trust ca.pem localhost:2021%s\n' "$dim" "$plain"
"$attlsctl" probe --trust ca.pem localhost:2021 || fail "the probe failed"

step "4. attlsd between them: in the clear on port 2121, with TLS toward the partner"
cat >policy.yaml <<END
# Clients in the clear on 2121 reach a partner's server under TLS.
version: 1
daemon: { control_socket: control.sock }   # for attlsctl sessions
keyrings: { partners: { trust: ca.pem } }
tls_actions: { to-partner: { handshake_role: client, keyring: partners } }
ftp_actions: { clear-inside: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear } }
backends: { partner: { address: 'localhost:2021', tls: to-partner } }
listeners: { inside: { address: '127.0.0.1:2121', tls: none } }
rules: { outbound: { ftp: clear-inside, backend: partner } }
END
start_attlsd

step "5. A client that knows nothing of TLS uploads a file, downloads it again, and compares"
head -c 1048576 /dev/urandom >report.bin
run 'curl -sS -T report.bin ftp://anonymous:demo@127.0.0.1:2121/pub/report.bin'
run 'curl -sS -o again.bin ftp://anonymous:demo@127.0.0.1:2121/pub/report.bin'
run 'sha256sum report.bin ftp/pub/report.bin again.bin'
for file in ftp/pub/report.bin again.bin; do
	cmp -s report.bin $file || fail "$file differs from report.bin"
done
echo "All are the same: the file sent, the file on the server, and the file downloaded."

step "6. What does the log say of the connections to the partner?"
run 'grep -aoE "(server-tls|transfer) session=.*" attlsd.log'
[ "$(grep -ac 'transfer .*result=ok' attlsd.log)" = 2 ] || fail "not all transfers were complete"

step "7. A server that is not who it should be: attlsd ends the session before any password"
sed 's|tls: to-partner|tls: to-partner, hostname: bank.example|' policy.yaml >other.yaml
mv other.yaml policy.yaml
run "$attlsctl reload -f policy.yaml"
run 'curl -sv --max-time 20 ftp://anonymous:demo@127.0.0.1:2121/pub/ 2>&1 | grep -a "^[<>] " | tee refused.txt || :'
grep -q '^< 421 ' refused.txt || fail "the client was not answered with 421"
! grep -q '^> USER' refused.txt || fail "curl sent its user name"
run 'grep -a server-tls-failed attlsd.log'

end_if_once "Done: encrypted transfers from a client without TLS."

sed 's|, hostname: bank.example||' policy.yaml >other.yaml
mv other.yaml policy.yaml
"$attlsctl" reload -f policy.yaml

step "Your turn (in another terminal). Ctrl-C here ends the demo and removes its files"
cat <<END
  curl ftp://anonymous:demo@127.0.0.1:2121/pub/
  curl -T $work/report.bin ftp://anonymous:demo@127.0.0.1:2121/pub/
  tail -f $work/attlsd.log                 the log of attlsd
  $attlsctl sessions -f $work/policy.yaml
  \$EDITOR $work/policy.yaml; $attlsctl reload -f $work/policy.yaml     change the policy
END
stay
