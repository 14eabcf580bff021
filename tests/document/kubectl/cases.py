"""Pieces of manifests that readers of YAML may take for different things; each is the value of one field."""

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

SCALARS = """
0644 0777 0o644 0O17 00 0 -0 +0 08 09 0o8 -0644 +0644 0_644 0b101 -0b101 0B1 0b2 0b 0x1F 0X1f -0x1F 0x 0xG 0x1_0
1 -1 +1 1_000 1__0 1_ _1 1_000.5 -1_0 1,000 012 01.5 12e03 +12e03 1e3 1E3 1e+3 1e-3 1.e3 1. .5 -.5 +.5 . .. ._5 1._5
1.0 1.10 -0.0 0.1 1e20 1e21 1e22 1.5e300 1e400 -1e400 1e-400 123456789.0 0.1e1_0
2147483648 9007199254740991 9007199254740992 9007199254740993 -9007199254740993
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
18446744073709551615 18446744073709551616 123456789012345678901234567890
0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff 0x10000000000000000 0777777777777777777777 01777777777777777777777
9223372036854775807.0 9223372036854775808.0 999999999999999934463.0 1152921504606846977.0 -9223372036854775808.0 07777777777777777777777
y Y yes Yes YES yES n N no No NO on On ON oN off Off OFF true True TRUE tRUE false False FALSE
~ null Null NULL nULL nil None = <<x
.inf .Inf +.inf -.INF inf .nan .NaN NaN
190:20:30 1:30 12:30:45 -1:30 1:30.5 0:0 80:20 100:0 1:60
2001-12-14 2001-12-14t21:59:43.10-05:00 2001-1-1 2026-11-23T03:00:00Z 20-1-1
v1 1.2.3 1.4.2-rc1 1e 1e+ e3 0.0.0.0 10.0.0.0/8 100m 1Gi 5% 1s +1s -v --flag
"""

TEXTS = (
    "",
    "''",
    "'0644'",
    '"on"',
    '"\\u0085\\u2028"',
    '"\\ud83d\\ude00"',
    '"\\x7f\\x1b"',
    "|\n  a\n  b",
    ">-\n  a\n  b",
    "'it''s'",
    "é \U0001f600",
    "[a, 1, [yes]]",
    "{}",
    "[]",
)

KEYS = """
on y n yes No true TRUE off 0644 0 1 -1 1_000 1e3 1.50 1.0 .5 0x1F 1:30 2001-12-14 8080 1e21 1e30
9007199254740993 9223372036854775808 -0 -0.0 '0644' "on" 80:20 v1 = 1.2.3 123456.789e-9
null ~ .nan .inf 1e-7 1e-400 123456789.5 16777217.0 0.1 1e20
"""

MERGES = (
    "{a: &a {x: 1, z: 2}, b: {<<: *a, x: 3}}",
    "{a: &a {x: 1, z: 2}, b: {x: 3, <<: *a}}",
    "{a: &a {x: 1}, b: &b {x: 2, w: 4}, c: {<<: [*a, *b]}}",
    "{a: &a {x: 1}, b: &b {x: 2, w: 4}, c: {x: 9, <<: [*a, *b], w: 8}}",
    "{a: &a {x: 1}, b: &b {<<: *a, w: 4}, c: {<<: *b}}",
    "{a: &a 0644, b: *a}",
    "{a: &a [1], b: [*a, *a]}",
    "{a: &a 1, b: {<<: *a}}",
    "{a: &a [1], b: {<<: *a}}",
)


def cases() -> list[str]:
    """Every case as the text behind `found:`."""
    return [*_words(SCALARS), *TEXTS, *key_cases(), *MERGES]


def key_cases() -> list[str]:
    """The cases that are about one key."""
    return [f"\n  {key}: v" for key in _words(KEYS)]


def _words(text: str) -> list[str]:
    return text.split()
