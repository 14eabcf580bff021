"""Brings up the real parts on one Linux machine: API server, Istio, Envoy, Prometheus and a Bookinfo that serves.

What belongs here: building the parts, starting and ending them, and the workloads that they manage. Nothing here
imports `runner`: the rig is the world that `runner` is measured against, and must not share its mistakes.

All of it runs in one closed network, process and mount namespace. The kernel ends every process in it and drops its
data the moment the first one goes, however that came about.
"""
