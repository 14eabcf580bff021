"""A secret shows itself to nobody, and no sink repeats it in any of its spellings."""

import base64
import copy
import html
import json
import logging
import pickle
from urllib.parse import quote

import pytest

from runner.errors import RunnerError
from runner.secrecy import DOTS, Secret, hide, hide_named, keep_secret

TOKEN = 'k9/Zq+"x=7_ü'


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>3}",
        lambda secret: "%s" % secret,  # noqa: UP031 - the old spelling is asked
        lambda secret: json.dumps(secret, default=str, ensure_ascii=False).strip('"'),
        lambda secret: pickle.loads(pickle.dumps(secret)),
        lambda secret: copy.deepcopy({"a": secret})["a"],
        lambda secret: logging.LogRecord("", 10, "", 1, "%s", (secret,), None).getMessage(),
    ],
)
def test_everything_that_is_done_with_a_secret_gives_dots(shown):
    assert shown(Secret(TOKEN)) == DOTS


@pytest.mark.parametrize("before", ["", "u", "us", "usr"])
@pytest.mark.parametrize("after", ["", "a", "ab", "abc"])
def test_base64_is_known_wherever_the_secret_begins_in_it(before, after):
    Secret("correct-horse-battery")

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        hidden = hide(encode(f"{before}correct-horse-battery{after}".encode()).decode())
        assert DOTS in hidden
        assert len(hidden) < 16


@pytest.mark.parametrize(
    "spelled",
    [
        TOKEN,
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN, safe="").lower(),
        html.escape(TOKEN),
        TOKEN.encode().hex(),
        TOKEN.encode().hex().upper(),
        TOKEN.replace("_", "\\_"),
    ],
)
def test_every_spelling_of_a_secret_is_hidden(spelled):
    keep_secret(TOKEN.lower() if spelled == quote(TOKEN, safe="").lower() else TOKEN)

    assert hide(f"<{spelled}>") == f"<{DOTS}>"


def test_secrets_that_overlap_leave_no_end_of_each_other():
    keep_secret("abcdefgh")
    keep_secret("efghijkl")

    assert hide("1 abcdefghijkl 2") == f"1 {DOTS} 2"


def test_lines_of_a_key_are_secret_one_by_one():
    keep_secret("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----")

    assert hide("line MIIEvQIBADANBgkqhkiG") == f"line {DOTS}"
    assert hide("short -----BEGIN KEY-----") == "short -----BEGIN KEY-----"


@pytest.mark.parametrize("common", ["v3", "admin", "123456789"])
def test_what_would_be_found_everywhere_is_left_alone(common):
    keep_secret(common)

    assert hide(f"now {common} then") == f"now {common} then"


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("GET https://me:pw@host/x", f"GET https://{DOTS}@host/x"),
        ("at http://h:9090/a?x=1&access_token=ab%20c&y=2 now", f"at http://h:9090/a?x=1&access_token={DOTS}&y=2 now"),
        ("Authorization: Bearer abc.123", f"Authorization: Bearer {DOTS}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {DOTS}"),
        ("got eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2ln", f"got {DOTS}"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----!", f"-----BEGIN RSA PRIVATE KEY-----{DOTS}!"),
        ("basic authentication, bearer credentials", "basic authentication, bearer credentials"),
        ("see https://istio.io/latest/?q=weights", "see https://istio.io/latest/?q=weights"),
    ],
)  # fmt: skip
def test_what_has_the_shape_of_a_credential_is_hidden_without_being_known(said, hidden):
    assert hide(said) == hidden


def test_what_stands_behind_a_name_is_hidden_in_words_for_nobody():
    assert hide_named("login failed: password=x1 y\napi-key: 'y2'\nuser=me") == (
        f"login failed: password={DOTS}\napi-key: {DOTS}\nuser=me"
    )


def test_an_error_is_made_without_secrets_before_anybody_shortens_it():
    Secret("canary-Zq9")

    error = RunnerError("the server says canary-Zq9", hint="not canary-Zq9")

    assert (error.message, error.hint, str(error)) == (
        f"the server says {DOTS}",
        f"not {DOTS}",
        f"the server says {DOTS}",
    )
