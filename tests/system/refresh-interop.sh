#!/bin/sh
# Copy the table of the last full run of the system tests to docs/INTEROP.md, unless it has gaps or failures.
set -eu
cd "$(dirname "$0")/../.."
table=${B:-build}/interop.md
[ -f "$table" ] || { echo "$table is missing: run make check first" >&2; exit 1; }
if grep -n -e 'not run' -e FAILED "$table" >&2; then
	echo "$table has gaps; docs/INTEROP.md is unchanged" >&2
	exit 1
fi
cp "$table" docs/INTEROP.md
