#!/bin/sh
# Copy the tables of the last full run of the system tests and the one of `make differential` to docs/INTEROP.md,
# unless they have gaps or failures.
set -eu
cd "$(dirname "$0")/../.."
table=${B:-build}/interop.md
reuse=${B:-build}/reuse.md
outbound=${B:-build}/outbound.md
matrix=${B:-build}/differential.md
for made in "$table" "$reuse" "$outbound"; do
	[ -f "$made" ] || { echo "$made is missing: run make check first" >&2; exit 1; }
done
[ -f "$matrix" ] || { echo "$matrix is missing: run make differential first" >&2; exit 1; }
if grep -n -e 'not run' -e 'did not run' -e FAILED -e DIFFER "$table" "$reuse" "$outbound" "$matrix" >&2; then
	echo "the tables have gaps; docs/INTEROP.md is unchanged" >&2
	exit 1
fi
{ cat "$table"; echo; cat "$reuse"; echo; cat "$outbound"; echo; cat "$matrix"; } >docs/INTEROP.md
