"""Files that only speak to a real cluster are collected where there is one."""

import os

ONLY_REAL = ["test_access.py", "test_refusals_of_a_real_server.py"]

collect_ignore = [] if os.environ.get("RUNNER_TEST_KUBECONFIG") else ONLY_REAL
