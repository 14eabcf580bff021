"""Appends whose answer is lost, late or never: nothing is there twice, nothing is dropped."""

import random

import pytest

from runner.errors import ConflictError, RunnerError, TransientError, UnknownOutcomeError
from runner.journal import configmap, parts
from runner.journal.configmap import ConfigMapJournal
from runner.journal.parts import Parts
from tests.fakes.world import FakeCluster
from tests.journal.test_configmap import PLACE, begun, part, recorded, stage


class Unreliable:
    """A cluster whose writes may be refused, be lost, or arrive later than their time-out."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        self.inner, self.rng, self.rate = FakeCluster(), rng, rate
        self.late = []

    def get(self, ref):
        self._arrive()
        if self.rng.random() < self.rate:
            raise TransientError("503")
        return self.inner.get(ref)

    def create(self, manifest):
        return self._write(lambda: self.inner.create(manifest))

    def replace(self, changed):
        return self._write(lambda: self.inner.replace(changed))

    def _write(self, send):
        self._arrive()
        if self.rng.random() >= self.rate:
            return send()
        fault = self.rng.choice(("refused", "lost before", "lost after", "late", "label"))
        if fault == "refused":
            raise TransientError("connection refused")
        if fault == "lost after":
            send()
        elif fault == "late":
            self.late.append(send)
        elif fault == "label":
            self._label()
            return send()
        raise UnknownOutcomeError("timed out")

    def _label(self):
        for kind, where, name in list(self.inner._objects):
            self.inner.edit(
                kind,
                where,
                name,
                lambda found: found["metadata"].update(labels={"n": str(self.rng.random())}),
            )

    def _arrive(self):
        while self.late and self.rng.random() < 0.4:
            try:
                self.late.pop(0)()
            except (ConflictError, RunnerError):
                continue


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_to_the_answers_each_event_is_there_once(seed, monkeypatch):
    monkeypatch.setattr(configmap, "PART", 2000)
    monkeypatch.setattr(parts, "PART", 2000)
    rng = random.Random(seed)
    cluster = Unreliable(rng, 0.0)
    journal, waiting, n = begun(cluster), [], 0
    cluster.rate = rng.choice((0.1, 0.4, 0.7))

    for turn in range(2000):
        if turn >= 30 and not waiting:
            break
        if turn < 30:
            fresh = rng.choice((1, 1, 1, 2, 5, 12))
            waiting += [stage(n + k) for k in range(fresh)]
            n += fresh
        try:
            journal.append(waiting)
            waiting = []
        except TransientError:
            continue
        if rng.random() < 0.05:
            cluster.rate, rate = 0.0, cluster.rate
            journal, _ = ConfigMapJournal.resume(cluster, PLACE)
            cluster.rate = rate

    cluster.rate = 0.0
    cluster.late.clear()
    assert recorded(cluster) == [str(k) for k in range(n)]
    assert all(len(parts.text_of(part(cluster, k))) <= 2000 for k in range(3))
    assert Parts(cluster, PLACE).read()[0].run == "r1"
