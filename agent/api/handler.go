package api

import (
	"net/http"
	"strings"
)

// handler serves every route, and a problem for all else.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes() {
		mux.Handle(r.method+" "+r.path, s.route(r))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		c := newCall(w, r)
		allowed := allowedAt(mux, r)
		if len(allowed) == 0 {
			c.refuse(NotFound("there is no route %s: see /v1/openapi.json", r.URL.Path))
			return
		}
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		c.refuse(MethodNotAllowed("%s takes %s, not %s", r.URL.Path, list, r.Method))
	})
}

// route serves one route: rights first, then the query, then the body.
func (s *Server) route(t route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := newCall(w, r)
		err := s.admit(t, c)
		if err == nil {
			err = t.serve(s, c)
		}
		if err != nil {
			c.refuse(err)
		}
		if t.access == operate {
			s.Log.Info("operate", "peer_uid", c.peer.UID, "peer_pid", c.peer.PID, "method", r.Method, "path", r.URL.Path, "result", c.sent)
		}
	})
}

// admit checks all that can be checked before the route's own work.
func (s *Server) admit(t route, c *call) error {
	if t.access == operate {
		if refused := s.mayOperate(c.peer); refused != nil {
			return refused
		}
	}
	if err := c.check(t.query); err != nil {
		return err
	}
	if t.body == nil && t.access == operate {
		return c.empty()
	}
	return nil
}

func newCall(w http.ResponseWriter, r *http.Request) *call {
	return &call{w: w, r: r, control: http.NewResponseController(w), peer: peerOf(r.Context())}
}

// allowedAt returns the methods that the request's path takes.
func allowedAt(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := mux.Handler(other); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	return allowed
}
