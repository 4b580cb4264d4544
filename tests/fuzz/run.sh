#!/bin/sh
# Run every fuzz target of a build: sh tests/fuzz/run.sh BUILD_DIR [NAME...]
#
# FUZZ_SECONDS  how long each one runs (60); 0 runs the seeds only
#
# As many run at once as there are processors. The seeds are copied, so nothing
# is written outside BUILD_DIR. One line per target; status 1 on any finding.
set -u

run_one() # BUILD_DIR NAME
{
	target=$1/tests/fuzz/$2_fuzz
	work=$1/fuzz-run/$2
	rm -rf "$work"
	mkdir -p "$work/corpus"
	if [ -d "tests/fuzz/corpus/$2" ]; then
		cp -R "tests/fuzz/corpus/$2/." "$work/corpus/"
	fi

	if [ "$FUZZ_SECONDS" -gt 0 ]; then
		set -- "$2" "-max_total_time=$FUZZ_SECONDS"
	else
		set -- "$2" -runs=0
	fi
	if [ -f "tests/fuzz/$1.dict" ]; then
		set -- "$@" "-dict=tests/fuzz/$1.dict"
	fi
	name=$1
	shift

	# The undefined behaviour sanitizer only reports unless it is told to stop.
	UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1} \
		"$target" "$@" -print_final_stats=1 -timeout=10 -rss_limit_mb=2048 \
		"-artifact_prefix=$work/" "$work/corpus" >"$work/log" 2>&1
	status=$?

	execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
	if [ "$status" -eq 0 ]; then
		printf '%-12s %10s execs  ok\n' "$name" "${execs:-?}"
		return 0
	fi
	input=$(find "$work" -maxdepth 1 -type f ! -name log | head -n 1)
	{
		sed "s/^/  $name: /" "$work/log" | tail -n 40
		printf '%-12s %10s execs  FAILED (status %d), input: %s, log: %s\n' "$name" "${execs:-?}" \
			"$status" "${input:-none was written}" "$work/log"
	} >"$work/report"
	cat "$work/report" # in one piece, others print too
	return 1
}

: "${FUZZ_SECONDS:=60}"
export FUZZ_SECONDS

if [ "${1:-}" = --one ]; then
	run_one "$2" "$3"
	exit
fi
if [ $# -lt 1 ]; then
	echo "usage: sh tests/fuzz/run.sh BUILD_DIR [NAME...]" >&2
	exit 2
fi

build=$1
shift
if [ $# -eq 0 ]; then
	for target in "$build"/tests/fuzz/*_fuzz; do
		[ -x "$target" ] && set -- "$@" "$(basename "$target" _fuzz)"
	done
fi
if [ $# -eq 0 ]; then
	echo "no fuzz target in $build/tests/fuzz: run make fuzz" >&2
	exit 2
fi
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh "$0" --one "$build" || exit 1
