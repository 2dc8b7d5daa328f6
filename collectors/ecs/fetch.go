package ecs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	deadline   = 2 * time.Second // of one call on this host
	mostAnswer = 8 << 20         // bytes: some thousand tasks
)

// Where the ECS agent listens on its host.
const (
	AgentURL    = "http://127.0.0.1:51678"
	MetadataURL = "http://127.0.0.1:51679"
)

// A statusError is an answer that is a refusal.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// A server is one of the agent's two.
type server struct {
	base   string
	client *http.Client
}

// newServer makes no connection. Neither proxies nor redirects lead anywhere
// else.
func newServer(base, standard string) server {
	return server{cmp.Or(base, standard), &http.Client{
		Timeout:       deadline,
		Transport:     &http.Transport{MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// get reads one JSON answer.
func (s server) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the ECS agent: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the ECS agent for %s: %w", path, statusError(response.StatusCode))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	if err == nil && len(text) > mostAnswer {
		err = errors.New("the answer is too long")
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("read the ECS agent's answer for %s: %w", path, err)
	}
	return nil
}
