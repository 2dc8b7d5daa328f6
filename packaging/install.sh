#!/bin/sh
# Installs Berth from a release: into an image that is being baked, from user
# data, or by hand. Run as root.
#
#   install.sh [--bake] [--signers FILE] [--format deb|rpm|tar] SOURCE
#
# SOURCE is a folder or a URL with the files of a release: SHA256SUMS and the
# packages, or the folder of an unpacked archive, where install.sh is too.
#
#   --bake          the machine becomes an image: enable Berth and do not start
#                   it, and leave no state of this machine behind
#   --signers FILE  trust the release only if SHA256SUMS.sig is by a key of this
#                   file (allowed signers, ssh-keygen(1)) for the name
#                   berth-release
#   --format        deb where dpkg is, else rpm where rpm is, else tar
#
# Nothing waits for Berth to be up: user data runs inside cloud-init, which
# Docker may wait for, and Berth for Docker. berth doctor tells how it went.
set -eu

bake=
signers=
format=
source=
work=
trap 'rm -rf "$work"' EXIT

say() { printf 'install: %s\n' "$*"; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
up() { [ -d /run/systemd/system ]; }

arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--bake) bake=1 ;;
		--signers) signers=${2:?--signers takes a file}; shift ;;
		--format) format=${2:?--format takes deb, rpm or tar}; shift ;;
		-h | --help) sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
		-*) die "there is no option $1: see --help" ;;
		*) source=$1 ;;
		esac
		shift
	done
	[ -n "$source" ] || die "say where the release is: install.sh SOURCE"
	[ "$(id -u)" = 0 ] || die "this takes root"
	[ -n "$format" ] || { has dpkg && format=deb; } || { has rpm && format=rpm; } || format=tar
}

# fetch brings one file of the release into the work folder.
fetch() {
	case $source in
	*://*) has curl || die "curl is missing"; curl -fsSL --retry 3 --proto '=https,file' -o "$work/$1" "$source/$1" || die "cannot fetch $source/$1" ;;
	*) cp "$source/$1" "$work/$1" || die "$source has no $1" ;;
	esac
}

# chosen names the release's file for this machine.
chosen() {
	case $(uname -m) in
	x86_64) arch='\(amd64\|x86_64\)' ;;
	aarch64 | arm64) arch='\(arm64\|aarch64\)' ;;
	*) die "there is no release for $(uname -m)" ;;
	esac
	case $format in
	deb) pattern="berth_.*_$arch\.deb" ;;
	rpm) pattern="berth-.*\.$arch\.rpm" ;;
	tar) pattern="berth_.*_linux_$arch\.tar\.gz" ;;
	*) die "--format is deb, rpm or tar, not $format" ;;
	esac
	name=$(sed -n "s/^[0-9a-f]\{64\}  \($pattern\)\$/\1/p" "$work/SHA256SUMS")
	case $name in
	'' | *' '* | *'
'*) die "SHA256SUMS names no $format for $(uname -m), or more than one" ;;
	esac
	printf '%s\n' "$name"
}

# trusted brings the one file that is needed, and ends the script unless it is
# what the release says, and the release by whom it should be.
trusted() {
	fetch SHA256SUMS
	if [ -n "$signers" ]; then
		fetch SHA256SUMS.sig
		ssh-keygen -Y verify -q -f "$signers" -I berth-release -n berth-release -s "$work/SHA256SUMS.sig" <"$work/SHA256SUMS" ||
			die "SHA256SUMS is not signed by a key of $signers"
	fi
	name=$(chosen)
	fetch "$name"
	(cd "$work" && grep -F "  $name" SHA256SUMS | sha256sum --check --status) || die "$name is not what SHA256SUMS says"
}

packages() {
	[ -z "$bake" ] || export BERTH_START=no
	case $format in
	deb) # A configuration that is there already stays.
		DEBIAN_FRONTEND=noninteractive dpkg --force-confold --force-confdef --install "$work/$name" ;;
	rpm) # shellcheck disable=SC2046 # no option is no word
		rpm --upgrade --replacepkgs --oldpackage $(has dnf || echo --nodeps) "$work/$name" ;;
	esac
}

# unpacked installs the files of an archive where packages put them.
unpacked() {
	from=$1
	put() { mode=$1 file=$2; shift 2; install -D -m "$mode" "$from/$file" "$1"; }
	put 0755 berth /usr/bin/.berth.new
	mv -f /usr/bin/.berth.new /usr/bin/berth # a running daemon keeps its file
	put 0755 berth-etcd /usr/lib/berth/berth-etcd
	[ -e /etc/berth/berth.yaml ] || put 0644 berth.yaml /etc/berth/berth.yaml
	put 0644 systemd/berth.service /usr/lib/systemd/system/berth.service
	put 0644 systemd/sysusers.conf /usr/lib/sysusers.d/berth.conf
	put 0644 systemd/tmpfiles.conf /usr/lib/tmpfiles.d/berth.conf
	put 0644 completions/berth.bash /usr/share/bash-completion/completions/berth
	for page in "$from"/man/*; do
		put 0644 "man/${page##*/}" "/usr/share/man/man8/${page##*/}"
	done
	systemd-sysusers berth.conf
	systemd-tmpfiles --create berth.conf || true # doctor reports a log root that is not there
	! up || systemctl daemon-reload
	systemctl --quiet enable berth.service
	[ -n "$bake" ] || ! up || systemctl --no-block restart berth.service
}

# clean leaves an image without anything of the machine it was baked on.
clean() {
	! up || systemctl stop berth.service
	find /var/lib/berth -mindepth 1 -delete 2>/dev/null || true
	rm -rf --one-file-system /var/log/apps/.berth
}

arguments "$@"
work=$(mktemp -d)
if [ -x "$source/berth" ] && [ -d "$source/systemd" ]; then
	unpacked "$source"
else
	trusted
	if [ "$format" = tar ]; then
		tar -xzf "$work/$name" -C "$work"
		unpacked "$work/${name%.tar.gz}"
	else
		packages
	fi
fi
if [ -n "$bake" ]; then
	clean
	say "enabled: Berth starts with each machine of this image"
elif up; then
	say "enabled and starting: berth doctor tells how it goes"
else
	say "enabled: it starts with the system"
fi
