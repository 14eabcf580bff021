"""The table of commands, and the page that `runner` and `runner --help` print without importing any of them."""

from collections.abc import Mapping

RUNNING = "Run"
REVIEWING = "Review"
STARTING = "Start"

COMMANDS: Mapping[str, tuple[str, str]] = {
    "play": (RUNNING, "Run a playbook, in the sandbox or on a cluster."),
    "resume": (RUNNING, "Continue the newest unfinished run, or the one named."),
    "rollback": (RUNNING, "Take a run back to its safe split."),
    "abort": (RUNNING, "Stop a run and take it back."),
    "approve": (RUNNING, "Answer a waiting gate."),
    "status": (RUNNING, "Show where a run stands."),
    "runs": (RUNNING, "List all runs."),
    "adopt": (RUNNING, "Rebuild lost state from the marker on the object."),
    "unlock": (RUNNING, "Break a dead process's lock."),
    "validate": (REVIEWING, "Find everything that is wrong in documents, offline."),
    "plan": (REVIEWING, "Show what a run would do to the live cluster."),
    "rehearse": (REVIEWING, "Play in virtual time, and prove that every gate can say no."),
    "audit": (REVIEWING, "Derive every verdict again from the state file alone."),
    "rbac": (STARTING, "Print the least Role that a playbook needs."),
    "explain": (REVIEWING, "Explain a diagnostic's code, or a field."),
    "query": (REVIEWING, "Evaluate PromQL on an OpenMetrics dump."),
    "schema": (STARTING, "Print a document's JSON Schema."),
    "init": (STARTING, "Write a playbook to start from."),
    "completion": (STARTING, "Print completion for a shell."),
}
"""Every command with its group and its one line; the module is `runner.cli.<name>`."""

HEAD = """\
Usage: runner [OPTIONS] COMMAND [ARGS]...

  Plays, reviews and resumes declarative gray (canary) releases.

  runner init --example bookinfo              files to look at
  runner validate playbooks/                  what is wrong, before anything runs
  runner play FILE --sandbox                  the whole release, with no cluster
"""

TAIL = """\
Options:
  --version   Show the version and exit.
  -h, --help  Show this page; `runner COMMAND --help` shows a command's.

Exit codes: 0 as intended, 1 error, 2 usage, 3 rejected and back, 4 rollback failed, 5 paused, 6 locked,
7 record and world disagree, 129/130/143 interrupted. Every flag has a variable PLAY_<FLAG>.
"""


def root_help() -> str:
    """The page of `runner --help`."""
    lines = [HEAD]
    for group in dict.fromkeys(group for group, _ in COMMANDS.values()):
        lines.append(f"{group}:")
        named = [(name, text) for name, (of, text) in COMMANDS.items() if of == group]
        lines += [f"  {name:<11} {text}" for name, text in named]
        lines.append("")
    return "\n".join([*lines, TAIL])
