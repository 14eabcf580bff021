// What runs in the rig's pods and beside them: Bookinfo, the telemetry of its proxies, port forwards and the load generator.
module release-runner/rig/workloads

go 1.26.0
