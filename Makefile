# Everything a contributor types, and nothing that CI types instead.
SHELL := bash
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done),$(error runner needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3))
CANARY := playbooks/bookinfo-canary.yaml
# In a recipe, where standard output is what it is; inside $(shell) it would always be a pipe.
WATCHABLY := speed=; test ! -t 1 || speed='--speed 30';
# Hashes are checked, and nothing but this project is built: a build would install what nobody has locked.
UV_SYNC := uv sync --quiet --locked --inexact --no-build
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup play play-bad check lint types imports test prove prove-some soak audit sbom dist package docs picture oracle bench clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

setup: .venv/ready ## Make .venv with the locked versions

.venv/ready: pyproject.toml uv.lock .ci/pins.py
	@if ! { command -v uv >/dev/null && $(UV_SYNC) --no-build-isolation-package release-runner; }; then \
		$(PYTHON) -m venv .venv && $(PYTHON) .ci/pins.py dev > .venv/dev.txt && \
		.venv/bin/python $(PIP_INSTALL) --requirement .venv/dev.txt && \
		.venv/bin/python $(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

play: setup ## Play the Bookinfo canary in the sandbox
	@$(WATCHABLY) .venv/bin/runner play $(CANARY) --sandbox $$speed

play-bad: setup ## Play it with a bad canary: it must be rejected with exit 3
	@$(WATCHABLY) code=0; \
	.venv/bin/runner play $(CANARY) --sandbox --scenario playbooks/scenarios/bad-canary.yaml $$speed || code=$$?; \
	echo; echo "runner exited with $$code; 3 means: rejected, and traffic is back at the safe split"; test $$code -eq 3

check: lint types imports test ## Everything that must hold before a commit

lint: setup ## Style and format
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: setup ## Types, strictly
	.venv/bin/mypy

imports: setup ## The directions of imports
	.venv/bin/lint-imports

test: setup ## All tests that need no cluster, in less than three minutes
	.venv/bin/python -m pytest -q -n auto --dist loadfile

prove: setup ## The whole proof, and its figures in docs/reference/proof.md (30 minutes on two cores)
	.venv/bin/python -m tests.prove --write

prove-some: setup ## A tenth of the proof, as CI plays it
	.venv/bin/python -m tests.prove --share 0.1

soak: setup ## A night's worth: a million histories, and as much more of the rest (8 hours on two cores)
	.venv/bin/python -m tests.prove --night

audit: setup ## Known vulnerabilities in anything locked; also fails when nobody could be asked
	@.venv/bin/python .ci/audit.py

sbom: ## Write the bill of materials that the wheel carries (needs uv)
	@PYTHONPATH=. $(PYTHON) .ci/sbom.py

dist: setup ## Build what a release is: wheel, sdist, locked requirements, and the checksums of all
	@rm -rf dist && SOURCE_DATE_EPOCH=1580601600 .venv/bin/python -m hatchling build --directory dist && \
		$(PYTHON) .ci/pins.py runtime > dist/requirements.txt && cd dist && sha256sum -- * > SHA256SUMS

package: dist ## Install a release as a careful user would, into a fresh environment, and call it
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(PYTHON) -m venv "$$fresh" && cd dist && \
		sha256sum --quiet --check SHA256SUMS && "$$fresh/bin/python" $(PIP_INSTALL) --requirement requirements.txt && \
		"$$fresh/bin/python" $(PIP_INSTALL) --no-index --no-deps release_runner-*.whl && cd "$$fresh" && \
		bin/runner --version && bin/runner init --example bookinfo && bin/runner validate playbooks && \
		bin/runner play playbooks/bookinfo-canary.yaml --sandbox

docs: setup ## Write docs/reference/commands.md from the command tree
	@.venv/bin/python -m tests.docs.tree > .venv/commands.md && mv .venv/commands.md docs/reference/commands.md

picture: setup ## Draw docs/images/play.svg, the picture of the screen, from a real play
	@.venv/bin/python docs/images/draw.py

oracle: setup ## Record anew what Prometheus answers to queries, and how kubectl reads manifests (needs Go 1.26, kubectl)
	.venv/bin/python -m tests.promql.corpus.record
	.venv/bin/python -m tests.document.kubectl.record

bench: setup .benchmarks/peer/ready ## Measure against floors and peers, and write docs/reference/benchmarks.md
	.venv/bin/python tests/bench/run.py --write docs/reference/benchmarks.md

.benchmarks/peer/ready: uv.lock .ci/pins.py
	@$(PYTHON) -m venv .benchmarks/peer && $(PYTHON) .ci/pins.py bench > .benchmarks/peer/bench.txt && \
		.benchmarks/peer/bin/python $(PIP_INSTALL) --requirement .benchmarks/peer/bench.txt
	@touch $@

clean: ## Remove what make made; the runs in .runner stay
	rm -rf .venv .benchmarks dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find runner tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The rig: real parts on one machine (Linux, root, Go) ---

RIG := .venv/bin/python tests/rig
RIG_TESTS := .venv/bin/python -m pytest -o addopts= -ra --strict-markers --strict-config --import-mode=importlib

.PHONY: rig-setup rig rig-down test-rig test-rig-quick

rig-setup: setup
	@.venv/bin/python -c 'import envoy' 2>/dev/null \
		|| { command -v uv >/dev/null && $(UV_SYNC) --only-group rig; } \
		|| { $(PYTHON) .ci/pins.py rig > .venv/rig.txt && .venv/bin/python $(PIP_INSTALL) --requirement .venv/rig.txt; }

rig: rig-setup ## Bring up API server, Istio, Envoy and Prometheus, and leave them up (Linux, root, Go)
	@$(RIG) up

rig-down: ## Take the rig down
	@$(RIG) down

test-rig: rig-setup ## The contract, the canary and disturbed runs on the real parts (about half an hour warm)
	@RUNNER_TEST_FIGURES=1 $(RIG) run -- $(RIG_TESTS) tests/contract tests/rig

test-rig-quick: rig-setup ## The contract, one canary and one rollback on the real parts (6 minutes warm)
	@RUNNER_TEST_QUICK=1 $(RIG) run -- $(RIG_TESTS) tests/contract tests/rig
