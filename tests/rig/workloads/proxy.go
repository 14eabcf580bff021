package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// accessLine is one line of the proxy's access log, in the format that the rig's mesh configuration asks for.
type accessLine struct {
	Code    int    `json:"code"`
	Flags   string `json:"flags"`
	Millis  int    `json:"ms"`
	Cluster string `json:"cluster"` // "outbound|9080|v3|reviews.demo.svc.cluster.local", or null when nothing was routed
	Peer    string `json:"peer"`    // peerHeader of the answer
	Host    string `json:"host"`
}

// runProxy starts an Envoy, reads the access log on its stdout and serves Istio's standard metrics made from it.
//
// A stock Envoy lacks Istio's stats filter; the access log has all that the filter would have counted.
func runProxy(arguments []string) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	listen := flags.String("metrics", "", "address that serves the metrics")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	command := flags.Args()
	if len(command) == 0 || *listen == "" {
		return fmt.Errorf("usage: proxy --metrics ADDRESS ENVOY [ENVOY'S FLAGS]")
	}
	measured := newTelemetry()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, measured) }()
	return superviseEnvoy(command, func(log io.Reader) { readAccessLog(log, selfFromEnvironment(), measured) })
}

func superviseEnvoy(command []string, read func(io.Reader)) error {
	envoy := exec.Command(command[0], command[1:]...)
	envoy.Stderr = os.Stderr
	envoy.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := envoy.StdoutPipe()
	if err != nil {
		return err
	}
	if err := envoy.Start(); err != nil {
		return err
	}
	read(output)
	return envoy.Wait()
}

func readAccessLog(log io.Reader, self peer, measured *telemetry) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line accessLine
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Code != 0 {
			measured.record(line.request(self))
		}
	}
}

func (l accessLine) request(self peer) request {
	return request{
		reporter: "source", source: self, destination: parsePeer(l.Peer), service: l.service(),
		code: strconv.Itoa(l.Code), flags: l.Flags, milliseconds: float64(l.Millis),
	}
}

// service is the host of the cluster that was chosen, else what the client asked for.
func (l accessLine) service() string {
	if parts := strings.Split(strings.TrimSuffix(l.Cluster, ";"), "|"); len(parts) == 4 && parts[0] == "outbound" {
		return parts[3]
	}
	host, _, _ := strings.Cut(l.Host, ":")
	return host
}
