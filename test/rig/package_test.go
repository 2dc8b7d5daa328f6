package rig_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/test/rig"
)

// TestDebComesAndGoes: up and down with an edited configuration, under load;
// removed, and purged down to the logs.
func TestDebComesAndGoes(t *testing.T) {
	t.Parallel()
	m := rig.Boot(t)
	m.Copy(t, file(t, made.old, "*_amd64.deb"), "/root/old.deb")
	m.Copy(t, file(t, made.next, "*_amd64.deb"), "/root/next.deb")
	before := files(t, m)
	m.Do(t, "dpkg", "-i", "/root/old.deb")
	healthy(t, m)
	if got := m.Do(t, "systemctl", "is-enabled", "berth"); got != "enabled" {
		t.Errorf("it is %s", got)
	}
	edited := "# ours\nlogs: {grace: 3h}\n"
	configure(t, m, edited)
	change := func(deb, version string) func() {
		return func() {
			pid := m.Show("berth", "MainPID")
			m.Do(t, "dpkg", "-i", deb)
			m.Eventually(t, "the other version runs", func() bool {
				now := m.Show("berth", "MainPID")
				return now != pid && now != "0" && m.Show("berth", "ActiveState") == "active"
			})
			if got := m.Do(t, "dpkg-query", "-W", "-f", "${Version}", "berth"); got != version {
				t.Errorf("version %s, want %s", got, version)
			}
			if got := m.Do(t, "cat", "/etc/berth/berth.yaml"); got != strings.TrimSpace(edited) {
				t.Errorf("the edited configuration is now %s", got)
			}
		}
	}
	keepsAll(t, m, "upgrade of the deb", change("/root/next.deb", "0.2.0"))
	keepsAll(t, m, "downgrade of the deb", change("/root/old.deb", "0.1.0"))

	m.Do(t, "systemctl", "disable", "berth")
	m.Do(t, "dpkg", "-i", "/root/next.deb")
	if got := m.Try("systemctl", "is-enabled", "berth").Stdout; got != "disabled" {
		t.Errorf("an upgrade made what was disabled %s", got)
	}
	m.Do(t, "dpkg", "-r", "berth")
	if m.Try("pgrep", "-x", "berth").Code == 0 {
		t.Error("it runs after its removal")
	}
	if got := m.Do(t, "cat", "/etc/berth/berth.yaml"); got != strings.TrimSpace(edited) || m.Try("test", "-s", "/var/lib/berth/ledger").Code != 0 {
		t.Error("a removal did not keep configuration and state")
	}
	m.Do(t, "mkdir", "-p", "/var/log/apps/orders/containers/4f1c")
	m.Do(t, "dpkg", "-P", "berth")
	left := news(before, files(t, m))
	left = slices.DeleteFunc(left, func(path string) bool { return strings.HasPrefix(path, "/var/log/apps") })
	if len(left) > 0 {
		t.Errorf("a purge leaves %s", left)
	}
	m.Do(t, "test", "-d", "/var/log/apps/orders/containers/4f1c")
	if got := m.Try("test", "-e", "/var/log/apps/.berth").Code; got == 0 {
		t.Error("a purge leaves what was swept")
	}
	if m.Try("getent", "passwd", "berth").Code == 0 || m.Try("getent", "group", "berth").Code == 0 {
		t.Error("a purge leaves the user")
	}
	if got := m.Try("systemctl", "is-system-running").Stdout; got != "running" {
		t.Errorf("the machine is %s", got)
	}
}

// TestRpmComesAndGoes, by Debian's rpm, which does not know of its systemd.
func TestRpmComesAndGoes(t *testing.T) {
	t.Parallel()
	m := rig.Boot(t)
	m.Copy(t, file(t, made.old, "*x86_64.rpm"), "/root/old.rpm")
	m.Copy(t, file(t, made.next, "*x86_64.rpm"), "/root/next.rpm")
	m.Do(t, "rpm", "--install", "--nodeps", "/root/old.rpm")
	healthy(t, m)
	if got := m.Do(t, "systemctl", "is-enabled", "berth"); got != "enabled" {
		t.Errorf("it is %s", got)
	}
	if r := m.Try("rpm", "--verify", "--nodeps", "berth"); r.Stdout != "" {
		t.Errorf("rpm --verify says %s", r.Stdout)
	}
	configure(t, m, "# ours\n")
	change := func(version string, args ...string) {
		t.Helper()
		pid := m.Show("berth", "MainPID")
		m.Do(t, append([]string{"rpm", "--nodeps"}, args...)...)
		m.Eventually(t, "the other version runs", func() bool {
			now := m.Show("berth", "MainPID")
			return now != pid && now != "0" && m.Show("berth", "ActiveState") == "active"
		})
		if got := m.Do(t, "rpm", "--query", "--queryformat", "%{VERSION}", "berth"); got != version {
			t.Errorf("version %s, want %s", got, version)
		}
		if got := m.Do(t, "cat", "/etc/berth/berth.yaml"); got != "# ours" {
			t.Errorf("the edited configuration is now %s", got)
		}
	}
	change("0.2.0", "--upgrade", "/root/next.rpm")
	change("0.1.0", "--upgrade", "--oldpackage", "/root/old.rpm")
	m.Do(t, "rpm", "--erase", "--nodeps", "berth")
	if m.Try("pgrep", "-x", "berth").Code == 0 || m.Try("test", "-e", "/etc/systemd/system/multi-user.target.wants/berth.service").Code == 0 {
		t.Error("it runs, or is enabled, after its removal")
	}
	m.Do(t, "test", "-e", "/etc/berth/berth.yaml.rpmsave")
	m.Do(t, "test", "-s", "/var/lib/berth/ledger")
}

// TestReleaseIsTheSameTwice: from two folders, with other times, another umask
// and time zone, every byte.
func TestReleaseIsTheSameTwice(t *testing.T) {
	t.Parallel()
	one, err := os.ReadFile(filepath.Join(made.old, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(filepath.Join(made.again, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(two) {
		t.Errorf("two releases of one commit differ:\n%s\n%s", one, two)
	}
	if lines := strings.Count(string(one), "\n"); lines != 9 { // deb, rpm, tar, SBOM of two, and install.sh
		t.Errorf("SHA256SUMS has %d files:\n%s", lines, one)
	}
	tool(t, "sh", "-euc", `cd "$1" && sha256sum --check --quiet SHA256SUMS`, "sh", made.old)
}

// TestDebIsAsDebianWantsIt: the two differ in the binary alone, so lintian
// looks at one.
func TestDebIsAsDebianWantsIt(t *testing.T) {
	t.Parallel()
	if out := tool(t, "lintian", "--allow-root", "--fail-on", "error,warning", file(t, made.old, "*_amd64.deb")); strings.Contains(out, "berth:") {
		t.Errorf("lintian says %s", out)
	}
	for arch, machine := range map[string]string{"amd64": "3e 00", "arm64": "b7 00"} {
		deb, tree := file(t, made.old, "*_"+arch+".deb"), t.TempDir()
		if got := tool(t, "dpkg-deb", "--field", deb, "Architecture"); got != arch {
			t.Errorf("its architecture is %s, want %s", got, arch)
		}
		tool(t, "dpkg-deb", "--extract", deb, tree)
		for _, binary := range []string{"usr/bin/berth", "usr/lib/berth/berth-etcd"} {
			if got := tool(t, "od", "-An", "-tx1", "-j18", "-N2", filepath.Join(tree, binary)); got != machine {
				t.Errorf("%s for %s is for machine %s", binary, arch, got)
			}
		}
	}
}

func TestRpmSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"x86_64", "aarch64"} {
		pkg := file(t, made.old, "*."+arch+".rpm")
		if got := tool(t, "rpm", "--query", "--package", "--queryformat", "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{BUILDHOST}", pkg); got != "berth 0.1.0 "+arch+" Apache-2.0 berth.invalid" {
			t.Errorf("it is %s", got)
		}
		if got := tool(t, "rpm", "--query", "--package", "--configfiles", pkg); got != "/etc/berth/berth.yaml" {
			t.Errorf("its configuration files are %s", got)
		}
		for _, script := range []string{"postinstall", "preuninstall", "postuninstall"} {
			if all := tool(t, "rpm", "--query", "--package", "--scripts", pkg); !strings.Contains(all, script+" scriptlet (using /bin/sh)") {
				t.Errorf("no %s in\n%s", script, all)
			}
		}
		tool(t, "rpm", "--checksig", "--nosignature", pkg)
	}
}

// TestBillNamesWhatIsLinked: each module that the toolchain has noted, and the
// binary of the package.
func TestBillNamesWhatIsLinked(t *testing.T) {
	t.Parallel()
	var bill struct {
		BOMFormat string
		Metadata  struct {
			Component struct {
				Version string
				Hashes  []struct{ Alg, Content string }
			}
		}
		Components []struct{ Name, Version, PURL string }
	}
	text, err := os.ReadFile(file(t, made.old, "*_amd64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	tree := t.TempDir()
	tool(t, "dpkg-deb", "--extract", file(t, made.old, "*_amd64.deb"), tree)
	sum := func(path string) string { return tool(t, "sh", "-euc", `sha256sum "$1" | cut -d' ' -f1`, "sh", path) }
	binary, full := filepath.Join(tree, "usr/bin/berth"), filepath.Join(tree, "usr/lib/berth/berth-etcd")
	if c := bill.Metadata.Component; c.Version != "0.1.0" || len(c.Hashes) != 1 || c.Hashes[0].Content != sum(binary) {
		t.Errorf("the bill is of %+v, the binary is %s", c, sum(binary))
	}
	if !strings.Contains(string(text), sum(full)) {
		t.Errorf("the bill does not have the sum of berth-etcd, %s", sum(full))
	}
	for line := range strings.Lines(tool(t, "go", "version", "-m", binary, full)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "dep" {
			continue
		}
		want := "pkg:golang/" + fields[1] + "@" + fields[2]
		if !strings.Contains(string(text), `"purl": "`+want+`"`) {
			t.Errorf("the bill does not name %s", want)
		}
	}
	if len(bill.Components) < 20 || bill.Components[0].Name != "std" {
		t.Errorf("the bill has %d components", len(bill.Components))
	}
}
