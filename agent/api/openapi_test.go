package api_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/berth-dev/berth/agent/api"
)

var update = flag.Bool("update", false, "rewrite openapi.json")

func TestDocumentIsWhatTheRoutesAndTypesSay(t *testing.T) {
	want := document(t, false)
	if *update {
		if err := os.WriteFile("openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("openapi.json is old; run go test -update (-want +got):\n%s", diff)
	}
}

// asked is how each route is asked in TestEveryAnswerIsAsDocumented.
var asked = map[string]struct{ path, body string }{
	"GET /v1/logs/history":     {path: "/v1/logs/history?limit=2"},
	"GET /v1/why":              {path: "/v1/why?object=4f1c"},
	"GET /v1/jobs/{name}/runs": {path: "/v1/jobs/logs/runs"},
	"POST /v1/jobs/{name}/run": {path: "/v1/jobs/logs/run?dry_run=true"},
	"POST /v1/logs/sweep":      {body: `{"dry_run":true}`},
	"POST /v1/images/sweep":    {body: `{"dry_run":true}`},
	"POST /v1/logs/undo":       {body: `{"last":true}`},
	"POST /v1/config/check":    {body: "shedule: 1"},
	"POST /v1/relay/capture":   {body: `{"seconds":1}`},
	"GET /v1/relay/tap":        {path: "/v1/relay/tap?name=orders."},
	"GET /v1/events":           {path: "/v1/events?since=0"},
}

func TestEveryAnswerIsAsDocumented(t *testing.T) {
	r := serve(t)
	r.backend.feed.Publish(api.Event{Type: "container.started", Container: "4f1c"})
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(document(t, true)))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("doc.json", schema); err != nil {
		t.Fatal(err)
	}
	for _, route := range api.Describe() {
		name := route.Method + " " + route.Path
		t.Run(name, func(t *testing.T) {
			how := asked[name]
			if how.path == "" {
				how.path = route.Path
			}
			status, body := r.raw(t, route.Method, how.path, how.body)
			code, mime := "200", route.MIME
			if status != http.StatusOK {
				code, mime = "default", "application/problem+json"
				if name != "POST /v1/reload" {
					t.Fatalf("got status %d: %s", status, body)
				}
			}
			at := "doc.json#/paths/" + pointer(route.Path) + "/" + strings.ToLower(route.Method) +
				"/responses/" + code + "/content/" + pointer(mime) + "/schema"
			compiled, err := compiler.Compile(at)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(value); err != nil {
				t.Errorf("%s: %v", body, err)
			}
			if route.Path != "/v1/openapi.json" && strings.Contains(body, ":null") || strings.HasPrefix(body, "null") {
				t.Errorf("null in %s", body)
			}
		})
	}
}

// pointer escapes s for a JSON pointer in a URL fragment.
func pointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B").Replace(s)
}
