package rig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/test/rig"
)

// cloudInit is a script that gives a machine what runs user data at the end of a
// boot, ordered as cloud-init has it.
const cloudInit = `
cat >/etc/systemd/system/cloud-final.service <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=60s
ExecStart=/bin/sh /root/user-data
[Install]
WantedBy=cloud-init.target
UNIT
printf '[Unit]\nAfter=multi-user.target\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/cloud-init.target
systemctl daemon-reload
`

// dockerWaits has Docker start after user data, as on the ECS image.
const dockerWaits = `
systemctl disable --now docker.service docker.socket 2>/dev/null
mkdir -p /etc/systemd/system/docker.service.d
printf '[Unit]\nAfter=cloud-final.service\n' >/etc/systemd/system/docker.service.d/cloud.conf
systemctl daemon-reload
`

// TestUserDataDoesNotWaitForItself: Docker waits for user data, Berth for
// Docker, and user data installs Berth.
func TestUserDataDoesNotWaitForItself(t *testing.T) {
	t.Parallel()
	m := rig.Boot(t)
	m.Copy(t, made.old, "/root/release")
	m.Sh(t, cloudInit+dockerWaits+`echo 'sh /root/release/install.sh /root/release >/root/said 2>&1' >/root/user-data`)
	m.Do(t, "systemctl", "--no-block", "start", "cloud-final.service", "docker.service")
	m.Eventually(t, "user data has ended", func() bool { return m.Show("cloud-final", "ActiveState") == "active" })
	healthy(t, m)
	if said := m.Do(t, "cat", "/root/said"); !strings.Contains(said, "enabled and starting") {
		t.Errorf("the installer says %s", said)
	}
}

// TestNoOrderingCycle: with a cloud-final that is after multi-user.target,
// nothing of Berth's is dropped from a boot.
func TestNoOrderingCycle(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	m.Sh(t, cloudInit+`echo true >/root/user-data; systemctl enable cloud-final.service cloud-init.target`)
	verify := func() string {
		r := m.Try("systemd-analyze", "verify", "--man=no", "default.target")
		return r.Stdout + r.Stderr
	}
	if all := verify(); strings.Contains(all, "cycle") || strings.Contains(all, "berth") {
		t.Errorf("systemd-analyze verify default.target says %s", all)
	}
	// The same check finds a cycle where there is one.
	dropIn(t, m, "berth", "[Unit]\nAfter=cloud-final.service\n")
	if all := verify(); !strings.Contains(all, "cycle") {
		t.Errorf("with After=cloud-final.service no cycle is found: %s", all)
	}
}

// TestBakeLeavesAnImage: enabled, not running, and without state of the machine
// it was baked on; by package and archive, and again where it has run.
func TestBakeLeavesAnImage(t *testing.T) {
	t.Parallel()
	m := rig.Boot(t)
	m.Copy(t, made.old, "/root/release")
	bake := func(format string) {
		t.Helper()
		m.Do(t, "sh", "/root/release/install.sh", "--bake", "--format", format, "/root/release")
		if got := m.Show("berth", "ActiveState") + " " + m.Show("berth", "UnitFileState"); got != "inactive enabled" {
			t.Errorf("%s: it is %s", format, got)
		}
		if left := m.Sh(t, "find /var/lib/berth /var/log/apps -mindepth 1 2>/dev/null || true"); left != "" {
			t.Errorf("%s: it leaves %s", format, left)
		}
	}
	for _, format := range []string{"deb", "tar"} {
		bake(format)
		m.Do(t, "systemctl", "start", "berth")
		healthy(t, m)
		bake(format)
		if format == "deb" {
			m.Do(t, "dpkg", "-P", "berth")
		}
	}
}

// TestInstallerTrustsNobodyElse: a changed file, a changed list and a foreign
// key are refused before anything is installed; a good signature is not.
func TestInstallerTrustsNobodyElse(t *testing.T) {
	t.Parallel()
	m := rig.Boot(t)
	m.Copy(t, made.old, "/root/release")
	m.Sh(t, `cd /root
		ssh-keygen -q -t ed25519 -N "" -f ours
		ssh-keygen -q -t ed25519 -N "" -f theirs
		echo "berth-release $(cat ours.pub)" >signers
		ssh-keygen -q -Y sign -f ours -n berth-release release/SHA256SUMS`)
	refused := func(what, because string) {
		t.Helper()
		r := m.Try("sh", "/root/release/install.sh", "--signers", "/root/signers", "file:///root/release")
		if r.Code == 0 || !strings.Contains(r.Stdout+r.Stderr, because) {
			t.Errorf("%s: exit code %d, %s %s", what, r.Code, r.Stdout, r.Stderr)
		}
		if m.Try("test", "-e", "/usr/bin/berth").Code == 0 {
			t.Errorf("%s: it was installed", what)
		}
	}
	deb := "/root/release/" + filepath.Base(file(t, made.old, "*_amd64.deb"))
	m.Sh(t, "cp "+deb+" /root/deb; echo more >>"+deb)
	refused("a changed package", "is not what SHA256SUMS says")
	m.Sh(t, "cp /root/deb "+deb+"; cp /root/release/SHA256SUMS /root/sums; echo >>/root/release/SHA256SUMS")
	refused("a changed list", "is not signed")
	m.Sh(t, `cd /root; cp sums release/SHA256SUMS; mv release/SHA256SUMS.sig ours.sig
		ssh-keygen -q -Y sign -f theirs -n berth-release release/SHA256SUMS`)
	refused("a foreign key", "is not signed")
	m.Do(t, "rm", "/root/release/SHA256SUMS.sig")
	refused("no signature", "cannot fetch")
	m.Do(t, "cp", "/root/ours.sig", "/root/release/SHA256SUMS.sig")
	m.Do(t, "sh", "/root/release/install.sh", "--signers", "/root/signers", "file:///root/release")
	healthy(t, m)
}

// TestScriptsAndTemplatesAreWellFormed: what shellcheck and Packer can tell.
func TestScriptsAndTemplatesAreWellFormed(t *testing.T) {
	t.Parallel()
	dir := root(t)
	scripts, err := filepath.Glob(filepath.Join(dir, "packaging/scripts/*/*"))
	if err != nil || len(scripts) != 6 {
		t.Fatalf("%v: %v", scripts, err)
	}
	tool(t, "shellcheck", append(scripts, filepath.Join(dir, "packaging/install.sh"), filepath.Join(dir, "packaging/examples/user-data.sh"))...)

	text, err := os.ReadFile(filepath.Join(dir, "packaging/packer/ecs-al2023.pkr.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	template := filepath.Join(home, "packer", "berth.pkr.hcl")
	tool(t, "mkdir", filepath.Dir(template))
	tool(t, "cp", filepath.Join(dir, "packaging/install.sh"), home)
	validate := func(text string) (int, string) {
		if err := os.WriteFile(template, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return exit("packer", "validate", "-var", "release=https://example.com/berth", template)
	}
	if code, out := validate(readable(string(text))); code != 0 {
		t.Errorf("packer validate: %d, %s", code, out)
	}
	if code, _ := validate(strings.Replace(readable(string(text)), "instance_type", "instance_typ", 1)); code == 0 {
		t.Error("packer validate finds nothing in a template with a fault")
	}
}

// readable is a template without what Debian's Packer 1.6 does not know: what
// stands between "# since 1.7" and "# end".
func readable(template string) string {
	var kept strings.Builder
	newer := false
	for line := range strings.Lines(template) {
		switch strings.TrimSpace(line) {
		case "# since 1.7":
			newer = true
		case "# end":
			newer = false
		default:
			if !newer {
				kept.WriteString(line)
			}
		}
	}
	return kept.String()
}
