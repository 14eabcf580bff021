package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	servicePort = "9080"
	metricsPort = "15020" // where Istio's agent serves a pod's metrics
)

// upstreams calls other services through this pod's proxy.
type upstreams struct {
	self   peer
	client http.Client
}

// propagated are the request headers that Bookinfo hands on to the services it calls.
var propagated = []string{"X-Request-Id", "X-B3-Traceid", "X-B3-Spanid", "X-B3-Sampled", "Traceparent", "End-User", "User-Agent", "Cookie", "Authorization"}

func newUpstreams(self peer) *upstreams {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true}
	if proxy := os.Getenv("PROXY"); proxy != "" {
		// No iptables catch what goes out: the proxy listens on loopback, at the very port of the service.
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(proxy, port))
		}
	}
	return &upstreams{self, http.Client{Transport: transport}}
}

// get asks a service on behalf of an incoming request.
func (u *upstreams) get(incoming *http.Request, service, path string, timeout time.Duration) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+hostOf(service)+path, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range propagated {
		if value := incoming.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	request.Header.Set(peerHeader, u.self.header())
	client := u.client
	client.Timeout = timeout
	return client.Do(request)
}

// hostOf honours the overrides that the real images take from their environment.
func hostOf(service string) string {
	upper := map[string]string{"details": "DETAILS", "ratings": "RATINGS", "reviews": "REVIEWS"}[service]
	host := or(os.Getenv(upper+"_HOSTNAME"), service)
	if domain := os.Getenv("SERVICES_DOMAIN"); domain != "" {
		host += "." + domain
	}
	return net.JoinHostPort(host, or(os.Getenv(upper+"_SERVICE_PORT"), servicePort))
}

// serve runs one Bookinfo service: its requests on the pod's address, its metrics beside them, its faults from stdin.
func serve(build func(*upstreams) http.Handler) error {
	self, address := selfFromEnvironment(), os.Getenv("POD_IP")
	wrong, measured := new(faultSwitch), newTelemetry()
	go wrong.follow(os.Stdin)
	time.Sleep(startDelay())
	failures := make(chan error, 2)
	go func() { failures <- http.ListenAndServe(net.JoinHostPort(address, metricsPort), measured) }()
	handler := observed(self, measured, spoiled(wrong, build(newUpstreams(self))))
	go func() { failures <- http.ListenAndServe(net.JoinHostPort(address, servicePort), handler) }()
	return <-failures
}

// startDelay is the time between the start of the process and its first listening socket, as a JVM would take.
func startDelay() time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv("SLOW_START"), 64)
	if err != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

func spoiled(wrong *faultSwitch, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrong.spoil(r) {
			answer(w, http.StatusInternalServerError, map[string]string{"error": "fault of the rig"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (s *statusRecorder) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// observed reports every request as the destination's proxy would, and introduces this workload to the caller's.
func observed(self peer, measured *telemetry, next http.Handler) http.Handler {
	service := self.app + "." + self.namespace + ".svc.cluster.local"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, recorder := time.Now(), &statusRecorder{w, http.StatusOK}
		w.Header().Set(peerHeader, self.header())
		next.ServeHTTP(recorder, r)
		if strings.HasPrefix(r.UserAgent(), "kube-probe/") {
			return // Istio leads probes past the proxy, so they are in no metric
		}
		measured.record(request{
			reporter: "destination", source: parsePeer(r.Header.Get(peerHeader)), destination: self, service: service,
			code: strconv.Itoa(recorder.code), milliseconds: float64(time.Since(begun).Microseconds()) / 1000,
		})
	})
}

func answer(w http.ResponseWriter, code int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte(fmt.Sprintf("%q", err.Error()))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

func healthy(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": name + " is healthy"})
	}
}
