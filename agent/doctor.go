package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/collectors/disk"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/logs"
)

// Levels of a check.
const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// A diagnosis collects checks.
type diagnosis []api.Check

func (d *diagnosis) ok(subject, format string, args ...any) {
	*d = append(*d, api.Check{Level: checkOK, Subject: subject, Message: fmt.Sprintf(format, args...)})
}

func (d *diagnosis) add(level, subject, message, cure string) {
	*d = append(*d, api.Check{Level: level, Subject: subject, Message: message, Cure: cure})
}

// Diagnose checks everything that the duties rest on, and says the cure of
// what is wrong.
func (a *Agent) Diagnose(ctx context.Context) []api.Check {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	var d diagnosis
	a.checkConfig(g, &d)
	a.checkDocker(ctx, g, &d)
	a.checkRoots(g, &d)
	a.checkContainers(g, &d)
	a.checkImages(g, &d)
	a.checkRelay(g, &d)
	a.checkAudit(&d)
	a.checkDisks(g, &d)
	if state := a.storeState(g); state.Fault != "" {
		d.add(checkWarn, "store", state.Fault, "the record is published again by itself once the store answers")
	} else {
		d.ok("store", "%s takes this host's record", state.Engine)
	}
	for _, limit := range a.limits(g) {
		what, cure, _ := strings.Cut(limit, ": ")
		d.add(checkWarn, "rights", what, cure)
	}
	return d
}

func (a *Agent) checkConfig(g *generation, d *diagnosis) {
	c := a.configState()
	switch {
	case len(c.Rejected) > 0:
		f := config.Fault(c.Rejected[0])
		d.add(checkFail, "config", fmt.Sprintf("the newest file is refused; %s", f), "correct it and run: berth reload")
	case len(c.Restart) > 0:
		d.add(checkWarn, "config", "new values wait for a restart: "+strings.Join(c.Restart, ", "), "systemctl restart berth")
	default:
		d.ok("config", "generation %d is the newest", g.number)
	}
}

func (a *Agent) checkDocker(ctx context.Context, g *generation, d *diagnosis) {
	client := g.watcher.Client
	began := time.Now()
	l, err := client.List(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		d.add(checkFail, "docker", err.Error(), "start it (systemctl start docker), or set docker.socket to where it listens; Berth finds it by itself")
		return
	case errors.Is(err, fs.ErrPermission):
		d.add(checkFail, "docker", err.Error(), fmt.Sprintf("let uid %d use %s: run as root, or add the user to the group docker", os.Geteuid(), client.Socket()))
		return
	case err != nil:
		d.add(checkFail, "docker", err.Error(), "look at Docker's own log: journalctl -u docker")
		return
	}
	d.ok("docker", "%s lists %d containers in %s (Engine %s, API %s)",
		client.Socket(), len(l.Containers), time.Since(began).Round(time.Millisecond), l.Engine.Version, l.Engine.APIVersion)
	if doubt := g.lookout.disbelieves(); doubt != "" {
		d.add(checkFail, "docker", doubt, "look at Docker's data root and at docker ps -a: what is not listed there has to be removed, or made anew")
	}
	if p := g.sweeper.Plan(ctx); p.Blind != "" {
		d.add(checkWarn, "logs", "nothing is deleted now: "+p.Blind, "this ends by itself when the reason does")
	} else {
		d.ok("logs", "both witnesses answer; %d folders are known, %d would go now", len(p.Decisions), len(p.Removals()))
	}
}

func (a *Agent) checkRoots(g *generation, d *diagnosis) {
	if len(g.roots) == 0 {
		d.add(checkWarn, "logs", "no log root is configured", "set logs.roots")
	}
	for _, r := range g.sweeper.RootStates() {
		if r.Fault == "" {
			d.ok("root "+r.Path, "can be swept")
			continue
		}
		d.add(checkFail, "root "+r.Path, r.Fault, rootCure(r))
	}
	for _, r := range g.sweeper.Yard() {
		if r.Code == logs.CodeOrphan {
			d.add(checkWarn, "root "+r.Root, fmt.Sprintf("orphan %s: %s", r.Path, r.Reason), "look into it, and move it back or remove it by hand")
		}
	}
}

func rootCure(r logs.RootState) string {
	switch {
	case strings.Contains(r.Fault, "no such file"):
		return "make it (mkdir -p " + r.Path + "), or set logs.roots; the next sweep finds it"
	case strings.Contains(r.Fault, "read-only"):
		return "mount it writable; under systemd, name it in ReadWritePaths and restart berth"
	case strings.Contains(r.Fault, "symbolic link"):
		return "set logs.roots to the real folder"
	case strings.Contains(r.Fault, "permission denied"):
		return fmt.Sprintf("let uid %d write to it, or give berth CAP_DAC_OVERRIDE", os.Geteuid())
	default:
		return "the next sweep tries again"
	}
}

// checkContainers warns of containers that can reach what Berth trusts.
func (a *Agent) checkContainers(g *generation, d *diagnosis) {
	c := g.loaded.Config
	reach := func(path string) (names []string) {
		for _, container := range a.hub.Snapshot().Containers {
			for _, m := range container.Mounts {
				if mounts(m, path) {
					names = append(names, container.Name)
					break
				}
			}
		}
		return names
	}
	for _, path := range []string{c.Docker.Socket, c.API.Socket} {
		if names := reach(path); len(names) > 0 {
			d.add(checkWarn, "containers", fmt.Sprintf("%s can reach %s", strings.Join(names, ", "), path), "whoever owns that container owns this host; take the mount away if it is not meant")
		}
	}
	for _, r := range g.roots {
		if names := reach(r.Path); len(names) > 0 {
			d.add(checkWarn, "containers", fmt.Sprintf("%s mount the whole log root %s and reach what was removed", strings.Join(names, ", "), r.Path), "mount the service's own folder instead")
		}
	}
}

// mounts reports whether a mount shows path: that itself or a folder above.
func mounts(m inventory.Mount, path string) bool {
	return m.Source != "" && (m.Source == path || m.Source == "/" || strings.HasPrefix(path, m.Source+"/"))
}

func (a *Agent) checkAudit(d *diagnosis) {
	if err := a.audit.Verify(); err != nil {
		d.add(checkFail, "audit", err.Error(), "somebody or something changed the audit: keep a copy and find out who")
		return
	}
	v := a.ledger.View()
	switch {
	case v.Fault != "":
		d.add(checkWarn, "ledger", v.Fault, "make room in state_dir")
	case v.Bad > 0:
		d.add(checkWarn, "ledger", fmt.Sprintf("%d damaged lines were left out: some containers count as unknown", v.Bad), "nothing: their folders stay longer")
	default:
		d.ok("audit", "the chain of records is whole; %d containers are known", len(v.Entries))
	}
	if v.Short > 0 {
		d.add(checkWarn, "docker", fmt.Sprintf("its list was short %d times: containers came back that it had not named", v.Short), "look at Docker's data root: a damaged container configuration hides a container")
	}
}

func (a *Agent) checkDisks(g *generation, d *diagnosis) {
	for _, f := range g.monitor.Faults() {
		d.add(checkWarn, "disk "+f.Path, f.Err.Error(), "Berth cannot tell how full it is")
	}
	for _, s := range a.disks(g) {
		if s.Level != disk.Normal.String() {
			d.add(checkWarn, "disk "+s.Path, s.Level+": "+s.Reason, "free some: berth logs ls --largest shows what takes it, berth logs sweep --purge gives up what could be restored")
			continue
		}
		d.ok("disk "+s.Path, "%.0f%% of the bytes and %.0f%% of the inodes are used (%s)", s.BytesPercent, s.InodesPercent, s.Use)
	}
}
