package agent_test

import (
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent"
)

// TestEtcdNeedsTheFullBuild, which does not lie beside a test; whoever lacks it
// is told where it was looked for, and nothing of the URL.
func TestEtcdNeedsTheFullBuild(t *testing.T) {
	for _, url := range []string{"embedded", "redis://h:1", "dynamodb://table"} {
		if err := agent.HandOver(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	err := agent.HandOver("etcds://me:hunter2@h:1")
	if err == nil || !strings.Contains(err.Error(), "/lib/berth/berth-etcd") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error that names the build's places", err)
	}
}
