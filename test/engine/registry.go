package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Registry serves one image on a loopback address until the test ends, each of
// its layers after a delay, and returns the name to pull it by. It speaks as
// much of the OCI distribution specification as a pull needs.
func Registry(t testing.TB, delay time.Duration, layers ...Content) string {
	t.Helper()
	blobs := map[string][]byte{}
	blob := func(content []byte, kind string) map[string]any {
		sum := sha256.Sum256(content)
		digest := "sha256:" + hex.EncodeToString(sum[:])
		blobs[digest] = content
		return map[string]any{"mediaType": "application/vnd.docker." + kind, "size": len(content), "digest": digest}
	}
	var listed []any
	var diffs []string
	for _, c := range layers {
		b := blob(c.layer(), "image.rootfs.diff.tar.gzip")
		listed, diffs = append(listed, b), append(diffs, b["digest"].(string))
	}
	configText, _ := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{"Entrypoint": []string{"/none"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
	config := blob(configText, "container.image.v1+json")
	const kind = "application/vnd.docker.distribution.manifest.v2+json"
	manifest, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": kind, "config": config, "layers": listed})
	sum := sha256.Sum256(manifest)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, digest, isBlob := strings.Cut(r.URL.Path, "/blobs/")
		switch {
		case isBlob && blobs[digest] != nil:
			if digest != config["digest"] {
				<-time.After(delay)
			}
			_, _ = w.Write(blobs[digest])
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Docker-Content-Digest", "sha256:"+hex.EncodeToString(sum[:]))
			w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
			_, _ = w.Write(manifest)
		case r.URL.Path == "/v2/":
			w.WriteHeader(http.StatusOK)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return fmt.Sprintf("%s/berth-test/pulled:%d", strings.TrimPrefix(server.URL, "http://"), time.Now().UnixNano())
}
