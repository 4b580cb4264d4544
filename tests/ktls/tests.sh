#!/bin/sh
# On a kernel with TLS: its own tests, and those of data connections with `ktls: true` put in.
# Variables as for run.sh.
cd "$(dirname "$0")/../.." || exit 1
grep -w tls /proc/sys/net/ipv4/tcp_available_ulp || { echo "this kernel has no TLS"; exit 1; }
export ATTLSD="$B/attlsd" ATTLSCTL="$B/attlsctl" ATTLSD_BUILD="$B" PYTHONDONTWRITEBYTECODE=1

run() { "$PYTHON" -m pytest -c tests/system/pytest.ini -q --color=no -p no:cacheprovider "$@" 2>&1; }

run tests/system/test_ktls.py
status=$?
ATTLSD_TEST_KTLS=1 run tests/system/test_integrity.py tests/system/test_bulk.py tests/system/test_data.py || status=$?
exit "$status"
