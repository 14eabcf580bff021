package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// bounds are the upper bucket bounds of Istio's duration histogram, in milliseconds.
var bounds = []float64{0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000}

// request is one answered request as Istio's standard metrics describe it.
type request struct {
	reporter            string // "source" or "destination"
	source, destination peer
	service             string // host of the destination service, "reviews.demo.svc.cluster.local"
	code, flags         string
	milliseconds        float64
}

type series struct {
	count   uint64
	sum     float64
	buckets []uint64 // cumulative, one for each bound
}

// telemetry counts requests and renders them in Prometheus' text format.
type telemetry struct {
	mutex sync.Mutex
	all   map[string]*series
}

func newTelemetry() *telemetry {
	return &telemetry{all: map[string]*series{}}
}

func (t *telemetry) record(r request) {
	key := r.labels()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	one := t.all[key]
	if one == nil {
		one = &series{buckets: make([]uint64, len(bounds))}
		t.all[key] = one
	}
	one.count++
	one.sum += r.milliseconds
	for i, bound := range bounds {
		if r.milliseconds <= bound {
			one.buckets[i]++
		}
	}
}

func (r request) labels() string {
	name, rest, _ := strings.Cut(or(r.service, "unknown"), ".")
	namespace, _, _ := strings.Cut(or(rest, "unknown"), ".")
	security := map[string]string{"source": "unknown", "destination": "none"}[r.reporter]
	return fmt.Sprintf(
		`reporter=%q,%s,%s,destination_service=%q,destination_service_name=%q,destination_service_namespace=%q,`+
			`request_protocol="http",response_code=%q,grpc_response_status="",response_flags=%q,connection_security_policy=%q`,
		r.reporter, r.source.labels("source"), r.destination.labels("destination"),
		or(r.service, "unknown"), name, namespace, r.code, or(r.flags, "-"), security)
}

// ServeHTTP answers a scrape.
func (t *telemetry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	t.mutex.Lock()
	keys := slices.Sorted(maps.Keys(t.all))
	out.WriteString("# TYPE istio_requests_total counter\n")
	for _, key := range keys {
		fmt.Fprintf(&out, "istio_requests_total{%s} %d\n", key, t.all[key].count)
	}
	out.WriteString("# TYPE istio_request_duration_milliseconds histogram\n")
	for _, key := range keys {
		t.all[key].writeHistogram(&out, key)
	}
	t.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write(out.Bytes())
}

func (s *series) writeHistogram(out *bytes.Buffer, key string) {
	const name = "istio_request_duration_milliseconds"
	for i, bound := range bounds {
		fmt.Fprintf(out, "%s_bucket{%s,le=\"%g\"} %d\n", name, key, bound, s.buckets[i])
	}
	fmt.Fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, key, s.count)
	fmt.Fprintf(out, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, key, s.sum, name, key, s.count)
}
