# A fresh Debian as the root of new namespaces; run.sh and ../systemd/run.sh source this.

fresh_mirror=${FRESH_MIRROR:-http://deb.debian.org/debian}

# Make TOP/build/fresh/RELEASE with debootstrap, once, and set $base to it.
fresh_base() # TOP RELEASE
{
	base=$1/build/fresh/$2
	[ "$(id -u)" = 0 ] || { echo "debootstrap and namespaces need root" >&2; return 1; }
	[ -e "$base/.complete" ] && return 0
	command -v debootstrap >/dev/null || { echo "no debootstrap; run:  apt-get install debootstrap" >&2; return 1; }
	rm -rf "$base"
	mkdir -p "$base"
	echo "making a minimal $2 in $base ..."
	debootstrap --variant=minbase "$2" "$base" "$fresh_mirror" >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; return 1; }
	touch "$base/.complete"
}

# In a mount namespace of one's own: an overlay of LOWER (see mount(8), overlay) and UPPER, a folder or "" for
# memory, with /proc, /sys and /dev. Sets $root.
fresh_root() # LOWER UPPER
{
	scratch=$(mktemp -d)
	if [ -n "$2" ]; then
		mkdir -p "$2"
		mount --bind "$2" "$scratch"
	else
		mount -t tmpfs -o size=8g,mode=755 fresh "$scratch"
	fi
	mkdir -p "$scratch/upper" "$scratch/work" "$scratch/root"
	root=$scratch/root
	mount -t overlay -o "lowerdir=$1,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mount -t tmpfs -o mode=755 dev "$root/dev"
	for node in null zero full random urandom tty; do
		: >"$root/dev/$node"
		mount --bind "/dev/$node" "$root/dev/$node"
	done
	mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/.host"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s /proc/self/fd/0 "$root/dev/stdin"
	ln -s /proc/self/fd/1 "$root/dev/stdout"
	ln -s /proc/self/fd/2 "$root/dev/stderr"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	mount -t tmpfs -o mode=755 run "$root/run"
	mkdir -p "$root/run/lock"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

# Copy the checkout, with what is not committed, to FOLDER of the new root.
fresh_checkout() # TOP FOLDER
{
	mkdir -p "$root$2"
	(cd "$1" && git ls-files -co --exclude-standard -z | tar --null -T - --ignore-failed-read -cf - 2>/dev/null) |
		tar -xf - -C "$root$2" --no-same-owner
}

# Leave the host's files for good.
fresh_enter()
{
	cd "$root"
	pivot_root . .host
	cd /
	umount -l /.host
	rmdir /.host
}
