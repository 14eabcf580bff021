"""Changes that nobody means: bytes flipped, dropped, put in, repeated; lines swapped; values of other kinds."""

import random
from collections.abc import Callable
from typing import Any

from tests.prove.grammar import WRONG

NESTED = "[" * 100_000
"""JSON that no parser follows to its end."""
TOKENS = (
    b"{{ canary }}",
    b"{{",
    b"}}",
    b"{%",
    b": ",
    b"- ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!python/x",
    b"80:20",
    b"1e400",
    b".nan",
    b"null",
    b"~",
    b"yes",
    b"0644",
    b"'",
    b'"',
    b"#",
    b"|",
    b">",
    b"\t",
    b"\x00",
    b"\xff",
    b"apiVersion: runner/v2",
    b"kind: Secret",
    b"../../etc/passwd",
    b"5m",
    b"-5m",
    b"99999999999999999999",
    b"\xf0\x9f\x92\xa9",
    b"stages:",
    b"shift: {route: x}",
    b"- name: a\n",
    b"sum(rate(x[1m]))",
    b"{{ 'a' * 999999999 }}",
    b"{{ range(9**9) }}",
)


def changed(rng: random.Random, text: bytes, times: int) -> bytes:
    """*text* after *times* changes."""
    for _ in range(times):
        text = rng.choice(MUTATIONS)(rng, text)
    return text


def _flip(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]


def _drop(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + text[at + rng.randrange(1, 80) :]


def _put(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + rng.choice(TOKENS) + text[at:]


def _repeat(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text) or 1)
    piece = text[at : at + rng.randrange(1, 200)]
    return text[:at] + piece * rng.randrange(2, 6) + text[at:]


def _swap_lines(rng: random.Random, text: bytes) -> bytes:
    lines = text.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip,
    _drop,
    _put,
    _put,
    _repeat,
    _swap_lines,
)


def altered(rng: random.Random, tree: Any) -> Any:
    """*tree* with one value, somewhere, that is wrong, gone, or somewhere else as well."""
    if isinstance(tree, dict) and tree and rng.random() < 0.85:
        key = rng.choice(list(tree))
        if rng.random() < 0.1:
            return {name: value for name, value in tree.items() if name != key}
        return {**tree, key: altered(rng, tree[key])}
    if isinstance(tree, list) and tree and rng.random() < 0.85:
        at = rng.randrange(len(tree))
        if rng.random() < 0.1:
            return [*tree, tree[at]]
        return [*tree[:at], altered(rng, tree[at]), *tree[at + 1 :]]
    return rng.choice(WRONG)
