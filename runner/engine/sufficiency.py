"""Whether an answer is evidence at all, before anybody looks at its value."""

from dataclasses import dataclass
from math import isfinite, isnan

from runner.engine.judged import Judged, count, inconclusive, plain
from runner.model.checks import Agreement, Check, Reduce, Verdict
from runner.model.evidence import Answer, Evidence, NoAnswer

MOST_SERIES = 100
MOST_BYTES = 64 * 1024
STALE_AFTER = 120.0  # seconds: two scrapes of the slowest usual pace were missed
FROM_THE_FUTURE = 30.0  # seconds by which the source's clock may be ahead
SAMPLE_BYTES = 40  # a sample's numbers and punctuation as JSON
LABEL_BYTES = 6  # the punctuation of one label as JSON
MORE_THAN_ALL = 1.1  # extrapolation may count this many bad requests for each request


def why_no_evidence(check: Check, evidence: Evidence, *, now: float, since: float | None) -> str | None:
    """Why *evidence* says nothing, in words; None where every part may be judged.

    Asked part by part: an answer, complete, not too large, every series once, of this time, fresh, finite.
    """
    judged_alone = check.reduce is Reduce.EACH and not isinstance(check.judgement, Agreement)
    for part in check.queries:
        answer = evidence.get(part, NoAnswer("it was not asked"))
        if isinstance(answer, NoAnswer):
            return f"no answer to {part}: {answer.reason}"
        problem = (
            _incomplete(answer, check.allow_warnings)
            or _too_large(answer)
            or _repeated(answer)
            or _of_another_time(answer, now)
            or _stale(answer, now, since)
            or (None if judged_alone else _not_finite(answer))
        )
        if problem is not None:
            return problem if part == "query" else f"{part}: {problem}"
    return None


def _incomplete(answer: Answer, allowed: tuple[str, ...]) -> str | None:
    for warning in answer.warnings:
        if not any(text and text in warning for text in allowed):
            return f'the metrics source warns "{warning}"'
    return None


def _too_large(answer: Answer) -> str | None:
    if len(answer.samples) > MOST_SERIES:
        return f"{len(answer.samples)} series, more than {MOST_SERIES}"
    size = sum(
        SAMPLE_BYTES + sum(len(name) + len(value) + LABEL_BYTES for name, value in sample.labels.items())
        for sample in answer.samples
    )
    return f"an answer of {size:,} bytes, more than {MOST_BYTES:,}" if size > MOST_BYTES else None


def _repeated(answer: Answer) -> str | None:
    seen = {frozenset(sample.labels.items()) for sample in answer.samples}
    return None if len(seen) == len(answer.samples) else "the same series twice in one answer"


def _of_another_time(answer: Answer, now: float) -> str | None:
    for sample in answer.samples:
        if not isfinite(sample.at):
            return "a sample without a time"
        if sample.at > now + FROM_THE_FUTURE:
            return f"the answer is {sample.at - now:.0f} s ahead of the clock here"
        if sample.at < now - STALE_AFTER:
            return f"the answer is about {now - sample.at:.0f} s ago, not about now"
    return None


def _stale(answer: Answer, now: float, since: float | None) -> str | None:
    """Held against the newest raw sample: what an instant query returns carries the time of the question."""
    newest = answer.newest
    if newest is None or not answer.samples:
        return None
    if not isfinite(newest) or newest > now + FROM_THE_FUTURE:
        return "the newest sample's time is ahead of the clock here"
    if since is not None and newest < since:
        return f"the newest sample is {since - newest:.0f} s older than what is to be judged"
    if newest < now - STALE_AFTER:
        return f"the newest sample is {now - newest:.0f} s old"
    return None


def _not_finite(answer: Answer) -> str | None:
    return next(filter(None, (not_a_number(sample.value) for sample in answer.samples)), None)


def not_a_number(value: float) -> str | None:
    """Why *value* cannot be judged; None for a finite number."""
    if isfinite(value):
        return None
    return f"the value is {plain(value)}" + (" (0/0: no traffic?)" if isnan(value) else "")


def no_series(check: Check, part: str) -> Judged:
    """What `noData` says when a query has an answer without any series."""
    where = "" if part == "query" else f" for {part}"
    if check.no_data is Verdict.INCONCLUSIVE:
        return inconclusive(f"no series{where}; is the selector right, is there traffic?", {"series": 0})
    word = "fail" if check.no_data is Verdict.FAILED else "pass"
    return Judged(None, check.no_data, f"no series{where}, `noData: {word}`: {check.no_data}", {"series": 0})


@dataclass(frozen=True, slots=True)
class Counts:
    """Bad requests of all requests, as `increase` counted them: fractions happen."""

    bad: float
    of: float

    @property
    def rate(self) -> float | None:
        """The share of bad requests; None where nothing was counted."""
        return self.bad / self.of if isfinite(self.bad) and isfinite(self.of) and self.of > 0 else None

    @property
    def impossible(self) -> str | None:
        """Why these are no counts of requests, in words."""
        odd = not_a_number(self.bad) or not_a_number(self.of)
        if odd is not None:
            return odd
        if self.bad < 0 or self.of < 0:
            return "a negative count; is it an `increase` of a counter?"
        if self.bad > self.of * MORE_THAN_ALL:
            seen = f"{count(self.bad)} bad of only {count(self.of)} requests"
            return f"{seen}; do `bad` and `of` count the same ones?"
        return None

    def too_few(self, minimum: int) -> str | None:
        """Why these are too few requests to say anything, in words."""
        if self.of >= minimum and self.of > 0:
            return None
        return f"{count(self.of)} requests, at least {max(minimum, 1)} needed"

    def at_most_all(self) -> "Counts":
        """Extrapolation may count a few more bad requests than requests: then all were bad."""
        return Counts(min(self.bad, self.of), self.of) if self.impossible is None else self


def counted(check: Check, bad: Answer, of: Answer, name: str = "") -> Counts | str:
    """The two counts, summed where the check says so; else why not, in words. No `bad` series counts 0."""
    if check.reduce not in (None, Reduce.SUM):
        return f"`reduce: {check.reduce}` makes no sense of counts, use `sum`"
    for part, answer in (("bad", bad), ("of", of)):
        if len(answer.samples) > 1 and check.reduce is None:
            return f"{len(answer.samples)} series for {name}{part}, and no `reduce` says what becomes of them"
    return Counts(sum(s.value for s in bad.samples), sum(s.value for s in of.samples)).at_most_all()
