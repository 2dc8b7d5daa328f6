package relay

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peers are the programs of others, empty where they could not be had.
type peers struct {
	socat string
	nginx string
	dir   string // of nginx's module, ending in a slash; empty where nginx knows where it is
	libs  string // for LD_LIBRARY_PATH
	fault string // why one is not there
}

// fetch finds the peers' programs, or unpacks them into dir from the packages
// of this Debian: installed, nginx would start its own server.
func fetch(ctx context.Context, dir string) peers {
	ofSocat, _ := exec.LookPath(socat)
	ofNginx, _ := exec.LookPath(nginx)
	if _, err := os.Stat("/usr/lib/nginx/modules/ngx_stream_module.so"); err == nil && ofSocat != "" && ofNginx != "" {
		return peers{socat: ofSocat, nginx: ofNginx, dir: "/usr/lib/nginx/modules/"}
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", `set -e
cd "$1"
names="socat libwrap0 nginx libnginx-mod-stream"
apt-get download $names || { apt-get update && apt-get download $names; }
for f in *.deb; do dpkg -x "$f" root; done`, "sh", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return peers{fault: fmt.Sprintf("no socat and nginx: %v: %s", err, lines[len(lines)-1])}
	}
	root := filepath.Join(dir, "root")
	libs, _ := filepath.Glob(root + "/usr/lib/*-linux-*")
	more, _ := filepath.Glob(root + "/lib/*-linux-*")
	return peers{
		socat: root + "/usr/bin/socat", nginx: root + "/usr/sbin/nginx", dir: root + "/usr/lib/nginx/modules/",
		libs: strings.Join(append(libs, more...), ":"),
	}
}

// nginxConfig relays as UDP load balancers are set up: a session for each
// sender, which ends when nothing came for a while.
const nginxConfig = `daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
load_module %[2]sngx_stream_module.so;
events { worker_connections 4096; }
stream { server { listen %[3]s:%[4]d udp rcvbuf=4m; proxy_pass %[5]s; proxy_timeout 10s; } }
`

func (r *Rig) socatArgs() []string {
	return []string{
		r.peers.socat, "-u", fmt.Sprintf("UDP4-RECV:%d,bind=%s,rcvbuf=%d", port, gateway, input),
		"UDP4-SENDTO:" + receiver,
	}
}

func (r *Rig) nginxArgs() ([]string, error) {
	path := filepath.Join(r.dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, r.dir, r.peers.dir, gateway, port, receiver)
	return []string{r.peers.nginx, "-p", r.dir, "-e", r.dir + "/nginx.log", "-c", path}, os.WriteFile(path, []byte(text), 0o644)
}
