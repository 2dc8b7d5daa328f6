#!/bin/sh
# Makes this machine ready for the tests, or with "demo" for the demo alone:
# installs what is missing (Debian, as root) and starts a Docker Engine where
# none answers. What is there already is left as it is. Run it as often as you
# like; it says each thing it does.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
socket=/var/run/docker.sock
log=/var/log/dockerd.log
did=
dockerd= # its process, where it was started here
PATH=$PATH:/usr/local/go/bin:/usr/sbin:/sbin

say() { did=1; printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$@" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Go and git are taken as given: which ones is not ours to choose.
tools() {
	has git || die "git is missing: apt-get install git"
	has go || die "Go is missing: install 1.26 or newer from https://go.dev/dl/ and put its bin folder on PATH"
	want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$root/go.mod")
	found=$(cd "$root" && go env GOVERSION 2>&1) || die "Go does not work here: $found"
	newest=$(printf '%s\n%s\n' "$want" "${found#go}" | sort -V | tail -n 1)
	case $found in
	go"$want"*) ;;
	go*) [ "$newest" = "${found#go}" ] || die "Go $want or newer is needed, and this is $found: install it from https://go.dev/dl/" ;;
	esac
}

# missing prints the Debian packages whose programs are not here.
missing() {
	if [ "$1" = test ] && ! has dbus-daemon; then echo dbus-daemon; fi
	if ! has dockerd && { [ "$1" = test ] || [ "$(engine)" != ok ]; }; then echo docker.io; fi
	if ! has iptables && [ "$(engine)" != ok ]; then echo iptables; fi
	if [ "$1" = test ] && ! has ip; then echo iproute2; fi # for network namespaces
	if [ "$1" = test ]; then
		for tool in mmdebstrap rpm lintian packer shellcheck; do # test/rig
			has $tool || echo $tool
		done
	fi
	[ "$1" = test ] || return 0
	if ! has gcc && ! has clang; then echo gcc libc6-dev; fi # go test -race
	if ! has etcd; then echo etcd-server; fi
	if ! has redis-server; then echo redis-server; fi
	if ! has java; then echo default-jre-headless; fi
	if ! has mvn; then echo maven; fi
}

packages() {
	need=$(missing "$1" | tr '\n' ' ')
	need=${need% }
	[ -n "$need" ] || return 0
	has apt-get || die "not installed: $need (as Debian names them): install them with this system's package manager"
	[ "$(id -u)" = 0 ] || die "not installed: $need: sudo apt-get install -y $need"
	say "installs $need"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # the names are words
	install="apt-get install -y -q --no-install-recommends $need"
	out=$($install 2>&1) || out=$(apt-get update -q 2>&1 && $install 2>&1) || {
		printf '%s\n' "$out" | tail -n 20 >&2
		die "could not install $need: see above, then try: $install"
	}
	idle "$need"
}

# idle ends what a package has started for itself: the tests start servers of
# their own, and these are not needed.
idle() {
	[ -d /run/systemd/system ] || return 0
	for name in etcd redis-server; do
		case $1 in *"$name"*)
			say "leaves the service $name off"
			systemctl disable --now "$name" >/dev/null 2>&1 || true
			;;
		esac
	done
}

# servers builds the etcd of test/etcdserver, which takes minutes the first
# time, and fetches AWS's DynamoDB for a single machine, 51 MB.
servers() {
	dynamodb=${XDG_CACHE_HOME:-$HOME/.cache}/berth-test/dynamodb-local
	if [ ! -d "$dynamodb/lib" ]; then
		say "fetches DynamoDB Local into $dynamodb"
		rm -rf "$dynamodb.new"
		mvn -q -B -f "$root/test/storeserver/dynamodb/pom.xml" dependency:copy-dependencies \
			-DincludeScope=runtime -DoutputDirectory="$dynamodb.new/lib" >&2 || die "could not fetch DynamoDB Local: see above"
		mv "$dynamodb.new" "$dynamodb"
	fi
	etcdserver=${XDG_CACHE_HOME:-$HOME/.cache}/berth-test/etcdserver
	[ -x "$etcdserver" ] || say "builds the current etcd server into $etcdserver"
	(cd "$root/test/etcdserver" && go build -o "$etcdserver" .) || die "could not build test/etcdserver: see above"
}

# engine is one word: ok, absent, denied or silent.
engine() { (cd "$root" && go run ./test/setup "$socket"); }

# forget removes a pid file that names another program, or none: the Engine
# would take it for a running one.
forget() {
	[ -f "$1" ] || return 0
	name=$(cat "/proc/$(cat "$1")/comm" 2>/dev/null || echo nobody)
	[ "$name" = "$2" ] || { say "removes $1, left behind by $2"; rm -f "$1"; }
}

start() {
	if [ -d /run/systemd/system ]; then
		say "starts docker by systemctl"
		systemctl start docker || die "docker did not start: journalctl -u docker -n 30"
		return
	fi
	forget /var/run/docker.pid dockerd
	forget /var/run/docker/containerd/containerd.pid containerd
	say "starts dockerd, with its log in $log"
	setsid nohup dockerd >>"$log" 2>&1 </dev/null &
	dockerd=$!
}

await() {
	end=$(($(date +%s) + 60))
	until state=$(engine) && [ "$state" = ok ]; do
		if [ "$(date +%s)" -ge "$end" ] || { [ "$dockerd" ] && ! kill -0 "$dockerd" 2>/dev/null; }; then
			[ ! -r "$log" ] || tail -n 20 "$log" >&2
			die "Docker does not answer on $socket ($state): its last words are above, or in journalctl -u docker"
		fi
		sleep 0.3
	done
}

running() {
	case $(engine) in
	ok) return ;;
	denied) die "this user may not use $socket: sudo usermod -aG docker $(id -un), then log in anew" ;;
	silent) die "Docker accepts connections on $socket and does not answer: restart it" ;;
	absent) ;;
	*) die "could not ask for Docker: go run ./test/setup" ;;
	esac
	[ "$(id -u)" = 0 ] || die "no Docker Engine answers on $socket: sudo $root/test/setup/setup.sh"
	start
	await
}

tools
packages "${1:-test}"
[ "${1:-test}" != test ] || servers
running
[ -n "$did" ] || echo "setup: nothing to do"
