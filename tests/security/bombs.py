"""Documents that are made to take all time or memory, to be read in two ways, or to end in a traceback.

    python bombs.py FOLDER

plays each in a process of its own and prints what it cost, one JSON object a line.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HEAD = "apiVersion: runner/v1\nkind: Playbook\nmetadata: {name: p}\ntarget: {namespace: shop}\n"
STAGE = HEAD + "stages: [{name: a, wait: 1s}]\n"
ROUTED = HEAD + "routes: {orders: {virtualService: orders, stable: v1, canary: v2}}\n"
TIMES = 9
LIMIT = 20  # seconds of the clock, after which a case has hung


def _powers(line: str, first: str, levels: int = 30) -> str:
    """Each line uses the one above several times."""
    rows = [f"x0: &x0 {first}"]
    rows += [f"x{n}: &x{n} " + line.replace("OF", f"*x{n - 1}") for n in range(1, levels)]
    return HEAD + "\n".join(rows) + "\n"


def _playbook(stages: str, before: str = "") -> str:
    return f"{ROUTED}{before}stages:\n{stages}"


def _templates(*sources: str) -> str:
    return (
        HEAD
        + "vars: {a: text, num: 3}\nstages:\n"
        + "".join(f"  - {{name: 's{n}', wait: {json.dumps(source)}}}\n" for n, source in enumerate(sources))
    )


def _check(query: str) -> str:
    verify = f"  - {{name: v, verify: {{checks: [{{name: c, query: {json.dumps(query)}, max: 1}}]}}}}\n"
    return _playbook("  - {name: s, shift: {route: orders, canary: 20}}\n" + verify)


MANY = ", ".join(["OF"] * TIMES)
DOCUMENTS = {
    "alias bomb": _powers(f"[{MANY}]", "[lol]"),
    "alias bomb in mappings": _powers("{" + ", ".join(f"k{n}: OF" for n in range(TIMES)) + "}", "{a: b}"),
    "merge bomb": _powers(f"{{<<: [{MANY}]}}", "{a: b}"),
    "an alias of itself": HEAD + "x: &x [*x]\n",
    "an alias as a key": HEAD + "? &x {a: b}\n: *x\n",
    "an anchor on everything": HEAD + "x: [" + ", ".join(f"&a{n} a" for n in range(30_000)) + "]\n",
    "sexagesimal": HEAD + "stages: [{name: a, wait: 1:30}]\n",
    "octal": HEAD + "stages: [{name: a, shift: {route: r, canary: 020}}]\n",
    "yes": HEAD + "stages: [{name: a, apply: {files: [a], ifAbsent: yes}}]\n",
    "a date": HEAD.replace("name: p", "name: 2026-11-22") + "stages: []\n",
    "thousands": HEAD + "stages: [{name: a, shift: {route: r, canary: 1_0}}]\n",
    "not a number": _playbook("  - {name: v, verify: {checks: [{name: c, query: up, max: .nan}]}}\n"),
    "infinity": _playbook("  - {name: v, verify: {checks: [{name: c, query: up, max: .inf}]}}\n"),
    "1e999": _playbook("  - {name: v, verify: {checks: [{name: c, query: up, max: 1.0e+999}]}}\n"),
    "a key twice": STAGE + "kind: Playbook\n",
    "a key twice, deep": HEAD + "stages: [{name: a, wait: 1s, wait: 1h}]\n",
    "a key twice by an escape": STAGE + '"ki\\u006ed": Playbook\n',
    "a key that is a number": STAGE + "7: x\n",
    "a key that is nothing": STAGE + "~: x\n",
    "a huge whole number": HEAD + f"stages: [{{name: a, shift: {{route: r, canary: {'9' * 5_000}}}}}]\n",
    "a number beyond 2**53": HEAD + f"stages: [{{name: a, shift: {{route: r, canary: {2**53 + 1}}}}}]\n",
    "a huge hexadecimal": HEAD + f"x: 0x{'f' * 60_000}\n",
    "a huge duration": HEAD + f"stages: [{{name: a, wait: {'9' * 5_000}h}}]\n",
    "brackets": HEAD + "x: " + "[" * 200_000,
    "braces": HEAD + "x: " + "{a: " * 100_000,
    "dashes": HEAD + "x: " + "- " * 200_000,
    "question marks": HEAD + "x: " + "? " * 200_000,
    "steps": HEAD + "\n".join(" " * n + "a:" for n in range(900)),
    "deep, and closed": HEAD + "x-a: " + "[" * 150 + "]" * 150 + "\n",
    "many values": HEAD + "x-a: [" + "0," * 60_000 + "]\n",
    "many keys": HEAD + "x-a: {" + ", ".join(f"k{n}: 0" for n in range(60_000)) + "}\n",
    "a long text": HEAD + f"x-a: {'a' * 100_000}\n",
    "a long folded text": HEAD + "x-a: '" + "a\n" * 90_000 + "'\n",
    "a large file": STAGE + "#" * 1024 * 1024,
    "many documents": "--- {}\n" * 30_000,
    "many directives": "%YAML 1.1\n" * 30_000,
    "a tag that is code": HEAD + "x-a: !!python/object/apply:os.system [id]\n",
    "a tag that is a type": HEAD + "x-a: !!int ''\n",
    "a tag of its own": HEAD + "x-a: !x [1]\n",
    "a lone surrogate": HEAD + 'x-a: "\\ud800"\n',
    "a pair of surrogates": HEAD + 'x-a: "\\ud83d\\ude00"\n',
    "a NUL": HEAD + "x-a: a\0b\n",
    "text that turns around": STAGE.replace("name: a", 'name: "\\u202eevil"') + "wrong: 1\n",
    "many mistakes": HEAD + "stages: [" + "{nam: a}," * 4_000 + "]\n",
    "many names that nearly match": HEAD + "".join(f"stagess{n}: 1\n" for n in range(4_000)),
    "many stages": _playbook("".join(f"  - {{name: s{n}, shift: {{route: orders, canary: {n}}}}}\n" for n in range(600))),
    "many routes": HEAD + "routes: {" + ", ".join(f"r{n}: {{virtualService: v, canary: c}}" for n in range(4_000)) + "}\n",
    "a pattern that hangs": HEAD + "vars: {a: {required: true, pattern: '^(a+)+$', example: '" + "a" * 40 + "!'}}\nstages: []\n",
    "a pattern that explodes": HEAD + "vars: {a: {required: true, pattern: '((a{1,99}){1,99}){1,99}', example: a}}\nstages: []\n",
    "variables that double each other": HEAD
    + "vars:\n  a0: xxxxxxxx\n"
    + "".join(f'  a{n}: "{{{{ a{n - 1} }}}}{{{{ a{n - 1} }}}}"\n' for n in range(1, 40))
    + 'stages: [{name: "{{ a39 }}", wait: 1s}]\n',
}  # fmt: skip
TEMPLATES = {
    "a loop": ("{% for a in range(10**9) %}{% for b in range(10**9) %}x{% endfor %}{% endfor %}",),
    "an inclusion": ("{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% extends 'x' %}"),
    "an assignment": ("{% set x = 1 %}", "{% macro m() %}{{ m() }}{% endmacro %}"),
    "a multiplied text": ("{{ 'a' * 999999999 }}", "{{ a * 99999999 }}", "{{ [a] * 99999999 }}"),
    "a power": ("{{ 9 ** 9 ** 9 ** 9 }}", "{{ 2 ** 99999999 }}"),
    "a product": ("{{ 9007199254740991 * 9007199254740991 }}", "{{ 1e308 * 10 }}"),
    "a shift by format": ("{{ '%999999999d' % 1 }}", "{{ '{:>999999999}'.format(1) }}", "{{ '%s' | format(a) }}"),
    "a range": ("{{ range(10**9) | list }}", "{{ range(999999999) | sum }}"),
    "attributes": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ a.__class__ }}", "{{ a['__class__'] }}"),
    "attributes by a filter": ("{{ a | attr('__class__') }}", "{{ [a] | map(attribute='__class__') | list }}"),
    "attributes by a join": ("{{ a['__cla' ~ 'ss__'] }}", "{{ a | attr('\\x5f\\x5fclass\\x5f\\x5f') }}"),
    "globals": ("{{ lipsum.__globals__ }}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ self }}"),
    "a name space": ("{{ namespace(a=1) }}", "{{ joiner() }}", "{{ config }}", "{{ request.environ }}"),
    "a text of attributes": ("{{ a | xmlattr }}", "{{ a | urlize }}", "{{ a | pprint }}", "{{ a | tojson }}"),
    "a call": ("{{ a.format(a) }}", "{{ a.format_map(routes) }}", "{{ (a.replace)('t', 'u') }}"),
    "parentheses": ("{{ " + "(" * 400 + "1" + ")" * 400 + " }}",),
    "lists in lists": ("{{ " + "[" * 400 + "]" * 400 + " }}",),
    "a chain of filters": ("{{ a" + " | upper" * 100 + " }}", "{{ a" + " ~ a" * 200 + " }}"),
    "not not": ("{{ " + "not " * 250 + "num }}",),
    "minus minus": ("{{ " + "-" * 900 + "num }}",),
    "braces without end": ("{{" * 3_000, "{{ a " + "}" * 3_000),
    "quotes without end": ('{{ "' + "\\" * 900, "{{ '" * 3_000),
    "a lone surrogate": ("{{ '\\ud800' }}",),
    "a replaced text": ("{{ a | replace('', a) | replace('', a) | replace('', a) | replace('', a) }}",),
    "a long number": ("{{ ('9' ~ '9' ~ '9') | int }}", "{{ '" + "9" * 990 + "' | int }}"),
    "many templates": tuple(f"{{{{ num + {n} }}}}" for n in range(700)),
}  # fmt: skip
QUERIES = {
    "a query of parentheses": "(" * 5_000 + "up" + ")" * 5_000,
    "a query of signs": "-" * 20_000 + "up",
    "a query of operators": "up" + " + up" * 3_000,
    "a query of calls": "abs(" * 2_000 + "up" + ")" * 2_000,
    "a pattern that explodes in a query": 'up{a=~"((((a{1,100}){1,100}){1,100}){1,100})"}',
    "a string without end": 'up{a="' + "\\" * 30_001,
}
HARMLESS = {
    "an escaped NUL in a name": STAGE.replace("name: a", 'name: "a\\0b"'),
    "an escape sequence in a name": STAGE.replace("name: a", 'name: "\\e]0;owned\\a"'),
    "a window of subqueries": _check("max_over_time(" * 8 + "up" + "[9999d:1s])" * 8),
    "a pattern that would hang another engine": _check('up{a=~"(a+)+(a+)+(a+)+$"}'),
}
"""What nothing is wrong with as long as nobody does what they ask for: that is bounded where it is done."""
MANIFESTS = {
    "aliases in a manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" + _powers(f"[{MANY}]", "[lol]").removeprefix(HEAD),
    "merges in a manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" + _powers(f"{{<<: [{MANY}]}}", "{a: b}").removeprefix(HEAD),
    "brackets in a manifest": "apiVersion: v1\nkind: ConfigMap\nx: " + "[" * 200_000,
    "a code in a manifest": "!!python/object/apply:os.system [id]\n",
    "many documents in a manifest": "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" * 15_000,
    "a lone surrogate in a manifest": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: "\\ud800"}\n',
}  # fmt: skip


def lay_out(folder: Path) -> list[str]:
    """The files of the corpus, each to be validated by itself."""
    documents = dict(DOCUMENTS)
    documents |= {f"template: {name}": _templates(*sources) for name, sources in TEMPLATES.items()}
    documents |= {name: _check(query) for name, query in QUERIES.items()} | HARMLESS
    for number, (name, text) in enumerate(MANIFESTS.items()):
        (folder / f"{number}.txt").write_text(text)
        documents[name] = HEAD + f"stages: [{{name: a, apply: {{files: ['{number}.txt']}}}}]\n"
    for name, text in documents.items():
        (folder / f"{name}.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    return list(documents)


def played(name: str, call: Callable[[list[str]], int]) -> dict[str, object]:
    """What `runner validate` makes of one, in a process of its own."""
    out, err = Path(f"{name}.out"), Path(f"{name}.err")
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT)
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT), 2)
        os._exit(call(["validate", f"{name}.yaml"]))
    _, status, usage = os.wait4(child, 0)
    return {
        "name": name,
        "code": os.waitstatus_to_exitcode(status),
        "out": out.read_text(),
        "err": err.read_text(),
        "seconds": usage.ru_utime + usage.ru_stime,
        "mib": usage.ru_maxrss / 1024,
    }


def _import_all(names: list[str]) -> None:
    """What explains mistakes is imported once, before the forks: it is no document's cost."""
    from runner.document import validate

    for name in (names[0], "a key twice", "template: a product", "a query of signs", "merge bomb"):
        validate(f"{name}.yaml")


def measured(folder: Path) -> Iterator[dict[str, object]]:
    from runner.cli.entry import run

    names = lay_out(folder)
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _import_all(names)
    for name in names:
        yield played(name, run)


if __name__ == "__main__":
    for cost in measured(Path(sys.argv[1])):
        print(json.dumps(cost))
