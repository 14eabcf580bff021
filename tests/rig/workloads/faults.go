package main

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// faults is what is wrong with a workload at this moment; the zero value is a healthy one.
type faults struct {
	Errors  float64 `json:"errors"`  // share of answers that are 500, 0 to 1
	Latency float64 `json:"latency"` // seconds added to every answer
	Crash   bool    `json:"crash"`   // the process ends at once, as after an unhandled exception
}

// faultSwitch holds the current faults; another may be set while requests are served.
type faultSwitch struct{ current atomic.Pointer[faults] }

// follow takes one JSON document a line, each replacing the one before, until the input ends.
func (s *faultSwitch) follow(input io.Reader) {
	lines := bufio.NewScanner(input)
	for lines.Scan() {
		next := new(faults)
		if json.Unmarshal(lines.Bytes(), next) != nil {
			continue
		}
		if next.Crash {
			os.Exit(1)
		}
		s.current.Store(next)
	}
}

// spoil delays the request and reports whether it shall be answered with an error.
func (s *faultSwitch) spoil(r *http.Request) bool {
	now := s.current.Load()
	if now == nil || r.URL.Path == "/health" {
		return false
	}
	if now.Latency > 0 {
		time.Sleep(time.Duration(now.Latency * float64(time.Second)))
	}
	return rand.Float64() < now.Errors
}
