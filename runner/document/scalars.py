"""What a plain YAML scalar means: to YAML 1.2 core, to YAML 1.1, and to kubectl.

Sources: YAML 1.2.2 section 10.3.2 (core schema); YAML 1.1 types repository (bool, int, float, null,
timestamp, merge, value); sigs.k8s.io/yaml, whose goyaml.v2 `resolve` is what kubectl reads with.
"""

import re
from decimal import Decimal
from typing import Final

Scalar = str | int | float | bool | None

SAFE_INTEGER: Final = 2**53
LONGEST: Final = 100
SUSPICIOUS: Final = frozenset("0123456789+-.~nNtTfFyYoO=<")
"""A plain scalar that begins with none of these is text, to every reader."""

WORDS_1_2: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
WORDS_1_1: Final[dict[str, Scalar]] = {
    **WORDS_1_2,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}

INT_1_2: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT_1_2: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
SPECIAL_FLOAT: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
PLAIN_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
PLAIN_FLOAT: Final = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|\.[0-9]+(?:[eE][-+][0-9]+)?")
ODD_1_1: Final = re.compile(
    r"""[-+]?0b[01_]+                                  # binary
    |[-+]?0[0-7_]+                                     # octal by a leading zero
    |[-+]?0x[0-9a-fA-F_]+                              # hexadecimal with underscores or a sign
    |[-+]?[1-9][0-9_]*                                 # underscores between digits
    |[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?  # base 60
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?        # a date or a time
    |=|<<                                              # value, merge
    """,
    re.VERBOSE,
)


class AmbiguousScalarError(ValueError):
    """YAML 1.1 and 1.2 read this differently; the message says how."""


class NotANumberError(ValueError):
    """A number that JSON cannot hold, or that loses digits."""


def read_core(text: str) -> Scalar:
    """The value of a plain scalar in YAML 1.2 core, where YAML 1.1 agrees.

    Raises AmbiguousScalarError where the two disagree, NotANumberError for infinities, NaN and integers
    beyond 2**53.
    """
    if text and text[0] not in SUSPICIOUS:
        return text
    if text in WORDS_1_2:
        return WORDS_1_2[text]
    if PLAIN_INT.fullmatch(text):
        return _safe_integer(_integer(text, 16 if "x" in text else 10))
    if PLAIN_FLOAT.fullmatch(text):
        return _finite(text)
    return _read_odd(text)


def _read_odd(text: str) -> Scalar:
    if SPECIAL_FLOAT.fullmatch(text):
        raise NotANumberError(f'"{text}" is not a number that can be compared')
    in_1_2 = "a number" if INT_1_2.fullmatch(text) or FLOAT_1_2.fullmatch(text) else "text"
    in_1_1 = _meaning_1_1(text)
    if in_1_1 == in_1_2 == "text":
        return text
    if in_1_1 == in_1_2:
        raise AmbiguousScalarError(f'"{text}" is one number in YAML 1.1 and another in YAML 1.2')
    raise AmbiguousScalarError(f'"{text}" is {in_1_1} in YAML 1.1 and {in_1_2} in YAML 1.2')


def _meaning_1_1(text: str) -> str:
    if text in WORDS_1_1:
        return f"{str(WORDS_1_1[text]).lower()}"
    if text in {"<<", "="}:
        return "a merge" if text == "<<" else "a default value"
    if not ODD_1_1.fullmatch(text):
        return "text"
    return "a date" if re.match(r"[0-9]{4}-", text) else "a number"


def _integer(text: str, base: int) -> int:
    if len(text) > LONGEST:
        raise NotANumberError(f"a number of {len(text)} digits is too long")
    return int(text, base)


def _safe_integer(number: int) -> int:
    if abs(number) > SAFE_INTEGER:
        raise NotANumberError(f"{number} is beyond 2^53, where numbers begin to lose digits")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise NotANumberError(f'"{text}" is too large for a number')
    return number


KUBE_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
KUBE_INT: Final = re.compile(
    r"([-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
BASES: Final = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
INT64: Final = range(-(2**63), 2**63)
UINT64: Final = 2**64


def read_as_kubectl(text: str) -> Scalar:
    """The value of a plain scalar as kubectl reads it: `0644` is 420, `yes` is true, a date is text.

    Raises NotANumberError for infinities and NaN, which JSON cannot hold.
    """
    if text and text[0] not in SUSPICIOUS:
        return text
    if text in WORDS_1_1:
        return WORDS_1_1[text]
    if SPECIAL_FLOAT.fullmatch(text):
        raise NotANumberError(f'"{text}" has no form in JSON')
    return _kube_number(text) if text[0] in "0123456789+-." else text


def spelt_by_kubectl(value: Scalar) -> str | None:
    """The key that kubectl makes of a scalar; None where it makes none, or another than a person would."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"{value:.6g}"  # kubectl has the nearest float of 32 bits, which agrees to six digits
        case None:
            return None


def _kube_number(text: str) -> Scalar:
    plain = text if text[0] == "." else text.replace("_", "")
    found = KUBE_INT.fullmatch(plain)
    if found and len(plain) <= LONGEST:
        base = next(name for name in BASES if found[name] is not None)
        number = int(found[1] + found[base], BASES[base])
        if number in INT64 or 0 <= number < UINT64:
            return number if number in INT64 else float(number)
    return _kube_float(plain, text) if KUBE_FLOAT.fullmatch(plain) else text


def _kube_float(plain: str, text: str) -> Scalar:
    """A double, as an integer where it is one; what a double cannot hold stays text."""
    number = float(plain)
    if number in {float("inf"), float("-inf")}:
        return text
    whole = number.is_integer() and abs(number) < INT64.stop
    return int(Decimal(repr(number))) if whole else number  # the digits that Go writes into JSON
