"""What must not stand in an output, whoever wrote it; told without asking the product."""

import json
import re
import shlex
import unicodedata

from tests.escaping.sinks import HOSTILE, PAGES, commanded, pasted

VISIBLE = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
)  # signs of Arabic and Syriac
OURS = {"group", "endgroup", "error", "warning"}  # GitHub's commands that we give
DATA = ("json", "jsonl", "sarif", "gitlab")
PILED = 12  # marks on one letter: four before, in and behind what a caret underlines


def unseen(text: str) -> set[str]:
    """The characters that a terminal obeys or a reader does not see."""
    wrong = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {char for char in set(text) - VISIBLE - {"\n"} if unicodedata.category(char) in wrong}


def orders(text: str) -> set[str]:
    """The commands that GitHub's runner would find in *text*."""
    found = (re.match(r"::([\w-]+)", line.lstrip()) for line in text.splitlines())
    return {each[1] for each in found if each} - OURS | ({"##["} if "##[" in text else set())


def page_holds(page: str, name: str) -> None:
    """AssertionError where a page for people shows a hostile text as anything but text."""
    shown = PAGES[page](HOSTILE[name])
    assert not unseen(shown), (page, name, unseen(shown))
    assert not orders(shown), (page, name, orders(shown))
    assert max((len(marks) for marks in re.findall("[\u0300-\u036f]+", shown)), default=0) <= PILED


def commands_hold(name: str, *, guarded: bool) -> None:
    """AssertionError where a command, given a playbook full of a hostile text, obeys, hides or breaks something."""
    for command, out, err in commanded(HOSTILE[name], guarded=guarded):
        assert not unseen(out + err), (command, name, unseen(out + err))
        assert "bug of its own" not in err, (command, name, err)
        if not command.endswith(DATA):
            assert not orders(out + err), (command, name, orders(out + err))
        elif not command.endswith("jsonl") and out:  # what cannot be read is told on the other stream
            json.loads(out, parse_constant=_no_constant)
        assert out or err, (command, name)


def words_hold(name: str) -> None:
    """AssertionError where a name becomes more than one word of a line for a shell."""
    for line, words in zip(pasted(HOSTILE[name]), (11, 10), strict=True):
        assert len(shlex.split(line)) == words, (name, line)
        assert not unseen(line), (name, line)


def _no_constant(text: str) -> None:
    raise AssertionError(text)
