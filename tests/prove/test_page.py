"""The page of figures says of each gate when it was played last."""

from tests.prove.catalogue import gate_of
from tests.prove.page import Proof, Result, page

WHOLE = Proof("aaaa", 1.0, 7)


def result(name, broken=(), **counted):
    return Result(gate_of(name), 10, 60.0, counted, list(broken))


def row(text, name):
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_gate_that_is_played_alone_leaves_the_rows_of_others():
    first = page([result("histories", ["seed 3"]), result("kills", kills=2.0)], WHOLE)

    again = page([result("histories")], Proof("bbbb", 1.0, 9), first)

    assert row(first, "histories")[4:] == ["1", "60", "1", "7", "aaaa"]
    assert row(again, "histories")[4:] == ["0", "60", "1", "9", "bbbb"]
    assert row(again, "kills") == row(first, "kills")
    assert "2 minutes in all" in again


def test_the_list_of_sabotages_stays_until_they_are_played_again():
    first = page([result("sabotages", **{"no marker": 10.0})], WHOLE)

    again = page([result("histories")], WHOLE, first)

    assert "| no marker | 10 |" in again
