#!/bin/sh
# Shows Berth at work on the local Docker: three services of two containers
# each, of which some die. Needs Go, the docker command and the right to use
# Docker's socket; everything it makes is in one scratch folder or carries the
# label berth.demo, and goes at the end, on Ctrl-C too.
#
#   DEMO_PAUSE=SECONDS   how long to wait after each step (2; 0 if not on a terminal)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
began=$(date +%s)
run=$$
image=berth-demo:$run
dir=
daemon=
bold= dim= plain=
pause=0
if [ -t 1 ]; then
	pause=2
	[ -n "${NO_COLOR:-}" ] || { bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); }
fi
pause=${DEMO_PAUSE:-$pause}

die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

clean() {
	code=$?
	trap - EXIT INT TERM HUP
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || :
	for _ in 1 2; do # a second time for what an interrupted docker run made meanwhile
		made=$(docker ps -aq --filter "label=berth.demo=$run")
		# shellcheck disable=SC2086 # the IDs are words
		[ -z "$made" ] || docker rm -f $made >/dev/null || :
		[ "$code" = 0 ] || sleep 0.3
	done
	docker image rm -f "$image" >/dev/null 2>&1 || :
	[ -z "$dir" ] || rm -rf "$dir" || printf 'demo: left behind: %s\n' "$dir" >&2
	exit "$code"
}

# tell prints what comes next.
tell() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# show prints a command, runs it, and gives time to read.
show() {
	printf '%s$ %s%s\n' "$dim" "$1" "$plain"
	eval "$1" || die "exit code $? from: $1"
	sleep "$pause"
}

# until_true waits for a command to succeed.
until_true() {
	what=$1 tries=150
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { tail -n 20 berth.log >&2; die "not in 30 s: $what"; }
		sleep 0.2
	done
}

# service starts two containers of a service, as its own user, with the
# service's log folder mounted: the way applications run on a container host.
service() {
	mkdir -p "$dir/apps/$1/containers"
	for n in 1 2; do
		docker run -d --name "$1-$n-$run" --user "$(id -u):$(id -g)" \
			--label "berth.demo=$run" --label "berth.service=$1" --memory 32m --cpu-shares 128 \
			-v "$dir/apps/$1/containers:/logs" -e LOG_DIR=/logs -p 5555 \
			"$image" -every 200ms -listen :5555 >/dev/null
	done
}

# start runs the daemon.
start() {
	printf '%s$ berth run --config berth.yaml &%s\n' "$dim" "$plain"
	berth run --config berth.yaml >>berth.log 2>&1 &
	daemon=$!
	until_true "the daemon answers" berth status
}

# name prints the name of a container's log folder: its hostname, as Docker
# sets it.
name() { docker inspect --format '{{.Config.Hostname}}' "$1-$2-$run"; }
# planned succeeds when a sweep would remove so many folders.
planned() { berth logs plan --json | grep -q "\"remove\": *$1\b"; }
# seen succeeds when so many containers are known with their log folders.
seen() { [ "$(berth ps --json | grep -c '"log_folder": *"/')" = "$1" ]; }

command -v docker >/dev/null || die "the docker command is missing: apt-get install docker-cli, or docker.io"
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

dir=$(mktemp -d /tmp/berth-demo-XXXXXX)
export PATH="$root/bin:$PATH" BERTH_SOCKET="$dir/berth.sock"

tell "Building berth, and a small service to look after"
cd "$root"
make --no-print-directory build >"$dir/build.log" 2>&1 || { cat "$dir/build.log"; die "the build failed"; }
mkdir "$dir/image"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$dir/image/workload" ./test/workload
tar -C "$dir/image" -c workload | docker import --change 'ENTRYPOINT ["/workload"]' - "$image" >/dev/null
sed "s|@DIR@|$dir|g" test/demo/berth.yaml >"$dir/berth.yaml"
echo "bin/berth: $(($(wc -c <bin/berth) / 1048576)) MiB, static, after $(($(date +%s) - began)) s"
cd "$dir"

tell "Starting 3 services of 2 containers, and the daemon, as $(id -un)"
for s in orders billing search; do service "$s"; done
start
until_true "6 containers are seen" seen 6
echo "first answer after $(($(date +%s) - began)) s"

tell "How is it?"
show "berth status"
tell "Who is here?"
show "berth ps"
tell "Where do they listen? 5555 is the JMXMP port, published on whichever port was free."
show "berth ports ls"

restored=$(name orders 2) deleted=$(name billing 2) stopped=$(name search 2)
tell "Two containers are removed, one is only stopped. The log folders of all three stay behind."
show "docker rm -f orders-2-$run billing-2-$run"
show "docker kill search-2-$run"
until_true "both folders may go" planned 2
show "ls -d apps/*/containers/*"

tell "What would a sweep do? The hash names exactly this plan."
show "berth logs plan"
tell "Sweep. What goes can be brought back for ten minutes."
show "berth logs sweep"
show "ls -d apps/*/containers/*"

tell "That was too much? Bring one back: the same folder, the same inode."
show "berth logs undo $restored"
show "ls -d apps/*/containers/*"

tell "Why was this one deleted, and why is that one still there?"
show "berth why $deleted"
show "berth why $stopped"

tell "Now the daemon dies without a word."
show "kill -9 $daemon"
wait "$daemon" 2>/dev/null || :
start
until_true "the 4 containers are seen again" seen 4
tell "It knows what it knew. What was removed can still be brought back."
show "berth logs ls"
show "berth status --fail"

tell "That was it, in $(($(date +%s) - began)) s. Everything it made is being removed."
cat <<END
Next:  make run            the daemon on this machine, until Ctrl-C
       bin/berth --help    all commands
       README.md           how it works, and what it never does
END
