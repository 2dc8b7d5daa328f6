package dynamodb_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// The host's clock may be wrong: what is written is in the server's time.
func TestAnExpiryIsInTheServersTime(t *testing.T) {
	for _, ahead := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		expires := make(chan int64, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateItem") {
				var body struct {
					Values map[string]map[string]string `json:"ExpressionAttributeValues"`
				}
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					t.Error(err)
				}
				at, err := strconv.ParseInt(body.Values[":x"]["N"], 10, 64)
				if err != nil {
					t.Error(err)
				}
				expires <- at
			}
			_, _ = w.Write([]byte("{}"))
		}))
		s := open(t, strings.TrimPrefix(server.URL, "http://"), "berth")
		session, err := s.Open(t.Context(), store.Key{Cluster: "prod", Host: "h1"}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Publish(t.Context(), store.Record{V: store.Version, Host: "h1", Cluster: "prod", Incarnation: "A", Seq: 1}); err != nil {
			t.Fatal(err)
		}
		got, want := time.UnixMilli(<-expires), time.Now().Add(ahead+time.Minute)
		if off := got.Sub(want).Abs(); off > 5*time.Second {
			t.Errorf("%s ahead: the record expires at %s, want %s", ahead, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	}
}
