package main

import (
	"fmt"
	"os"
	"strings"
)

// peerHeader carries a workload's identity with each request and answer, as Istio's metadata exchange does.
const peerHeader = "X-Rig-Peer"

// peer is who stands at one end of a request, in the words of Istio's standard metrics.
type peer struct {
	workload, namespace, app, version string
}

// unknownPeer is what Istio's metrics say of an end that never introduced itself.
var unknownPeer = peer{"unknown", "unknown", "unknown", "unknown"}

// selfFromEnvironment reads the identity that the stand-in kubelet gave this process.
func selfFromEnvironment() peer {
	return peer{os.Getenv("WORKLOAD"), os.Getenv("POD_NAMESPACE"), os.Getenv("APP"), os.Getenv("VERSION")}
}

func (p peer) header() string {
	return strings.Join([]string{p.workload, p.namespace, p.app, p.version}, ";")
}

func parsePeer(header string) peer {
	parts := strings.Split(header, ";")
	if len(parts) != 4 {
		return unknownPeer
	}
	return peer{parts[0], parts[1], parts[2], parts[3]}
}

// canonicalRevision is "latest" for a known workload without a version label, as in Istio.
func (p peer) canonicalRevision() string {
	if p.version == "" {
		return "latest"
	}
	return p.version
}

// labels are the Prometheus labels of one end; side is "source" or "destination".
func (p peer) labels(side string) string {
	return fmt.Sprintf(
		`%[1]s_workload=%[2]q,%[1]s_workload_namespace=%[3]q,%[1]s_app=%[4]q,%[1]s_version=%[5]q,`+
			`%[1]s_canonical_service=%[4]q,%[1]s_canonical_revision=%[6]q,%[1]s_principal="unknown",%[1]s_cluster="Kubernetes"`,
		side, p.workload, p.namespace, or(p.app, "unknown"), or(p.version, "unknown"), p.canonicalRevision())
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
