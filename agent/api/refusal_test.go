package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
)

func TestRefusalsAreProblemDocuments(t *testing.T) {
	r := serve(t)
	tests := map[string]struct {
		method, path, body string
		status             int
		detail             string
	}{
		"unknown query value":   {"GET", "/v1/jobs?all=true", "", 400, `unknown query value "all"`},
		"value of another kind": {"GET", "/v1/logs/history?limit=-1", "", 400, "limit is a number"},
		"no boolean":            {"GET", "/v1/events?follow=maybe", "", 400, "follow is true or false"},
		"value given twice":     {"GET", "/v1/why?object=a&object=b", "", 400, "given 2 times"},
		"value missing":         {"GET", "/v1/why", "", 400, "object is missing"},
		"unknown field":         {"POST", "/v1/logs/sweep", `{"dryrun":true}`, 400, "dryrun"},
		"empty body":            {"POST", "/v1/logs/sweep", "", 400, "body is empty"},
		"two bodies":            {"POST", "/v1/logs/sweep", "{}{}", 400, "goes on"},
		"body where none is":    {"POST", "/v1/reload", "{}", 400, "takes no body"},
		"undo of nothing":       {"POST", "/v1/logs/undo", "{}", 400, "exactly one"},
		"undo of two things":    {"POST", "/v1/logs/undo", `{"last":true,"plan":"7c1f"}`, 400, "exactly one"},
		"unknown route":         {"GET", "/v2/status", "", 404, "no route /v2/status"},
		"unknown job":           {"GET", "/v1/jobs/none/runs", "", 404, "no job none"},
		"wrong method":          {"POST", "/v1/status", "", 405, "takes GET, HEAD, not POST"},
		"reading what does":     {"GET", "/v1/reload", "", 405, "takes POST, not GET"},
		"job that runs":         {"POST", "/v1/jobs/busy/run", "", 409, "runs already"},
		"plan no longer true":   {"POST", "/v1/logs/sweep", `{"plan":"old"}`, 409, "no longer true"},
		"body too large":        {"POST", "/v1/config/check", strings.Repeat("x", 1<<20+1), 413, "larger than"},
		"refused configuration": {"POST", "/v1/reload", "", 422, "generation 4"},
		"error of the daemon's": {"GET", "/v1/why?object=broken", "", 500, "disk on fire"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := r.raw(t, tt.method, tt.path, tt.body)
			var got api.Problem
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			if status != tt.status || got.Status != tt.status || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("got %d: %s", status, body)
			}
			path, _, _ := strings.Cut(tt.path, "?")
			if got.Instance != path || !strings.HasPrefix(got.Type, "urn:berth:problem:") || strings.Contains(body, "null") {
				t.Errorf("got %s", body)
			}
		})
	}
}

func TestHealthIsAProblemUntilAllIsWell(t *testing.T) {
	r := serve(t)
	r.backend.ready = errors.New("docker has not been seen")
	if err := r.Live(t.Context()); err != nil {
		t.Errorf("live: %v", err)
	}
	problem, ok := errors.AsType[*api.Problem](r.Ready(t.Context()))
	if !ok || problem.Status != http.StatusServiceUnavailable || problem.Detail != "docker has not been seen" {
		t.Errorf("ready: %v", problem)
	}
}
