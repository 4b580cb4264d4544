# The systemd of a fresh Debian, booted in namespaces; ../systemd/run.sh and ../packages/run.sh source this
# after root.sh.

# Make the layer FOLDER with a command, once.
fresh_layer() # FOLDER COMMAND...
{
	[ ! -e "$1/.complete" ] || return 0
	rm -rf "$1"
	layer=$1
	shift
	"$@"
	touch "$layer/.complete"
}

# Run a command as the first process of a machine: a set of namespaces (mount, pid, network, cgroup, ipc, uts).
# It must end in fresh_systemd. Sets $first to its process id; the machine ends with this shell.
fresh_boot() # TOP RELEASE SCRIPT ARGUMENT...
{
	groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -n "$groups" ] || { echo "$0: no cgroup2 is mounted here" >&2; exit 1; }
	group=$groups/attlsd-systemd-$$
	mkdir "$group"
	console=$1/build/fresh/$2.console
	echo "booting $2 ..."
	shift 2
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
		unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child --propagation private \
		sh "$@" </dev/null >"$console" 2>&1 &
	unshare=$!
	trap fresh_end EXIT # unshare ignores SIGTERM; its child dies with it
	trap 'exit 1' INT TERM HUP
	# the first process of the machine is the child of unshare
	until first=$(pgrep -P "$unshare"); do kill -0 "$unshare" || exit 1; done
	until [ "$(cat "/proc/$first/comm" 2>/dev/null)" = systemd ]; do
		kill -0 "$unshare" 2>/dev/null || { tail -n 20 "$console" >&2; exit 1; }
		sleep 0.2
	done
}

fresh_end()
{
	status=$?
	kill -KILL "$unshare" 2>/dev/null || :
	wait "$unshare" 2>/dev/null || :
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
	[ "$status" = 0 ] || echo "$0: the machine's console is in $console" >&2
	exit "$status"
}

# Inside: become systemd.
fresh_systemd()
{
	exec env -i container=attlsd-test /lib/systemd/systemd --system --log-target=console --show-status=true \
		systemd.unit=multi-user.target
}
