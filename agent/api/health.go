package api

// Health is the answer to GET /v1/health/live and /v1/health/ready if all is
// well; else the answer is a [Problem] with status 503.
type Health struct {
	OK bool `json:"ok"` // always true
}
