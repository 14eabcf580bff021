"""The Lease port: one holder at a time, the dead are waited out, and the epoch only grows."""

from collections.abc import Callable

import pytest

from runner.adapters.lease import DURATION, FRESH, ClusterLease, LocalLease, Target, break_dead, held_by
from runner.errors import ConflictError, LockedError, UnknownOutcomeError
from runner.ports import Cluster
from tests.contract.benches import CLUSTERS, NOON, Bench


class Clock:
    """Jumps, and lets others act while somebody sleeps."""

    def __init__(self) -> None:
        self.time = NOON
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def sleep_until(self, until: float) -> None:
        self.time = max(self.time, until)
        self.meanwhile()


class LosingAnswers:
    """A cluster that does what is asked, and whose next answer to a write is lost."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.lose = False

    def __getattr__(self, name: str):
        return getattr(self._cluster, name)

    def create(self, manifest):
        return self._answer(self._cluster.create(manifest))

    def replace(self, changed):
        return self._answer(self._cluster.replace(changed))

    def _answer(self, written):
        if self.lose:
            self.lose = False
            raise UnknownOutcomeError("nobody knows whether it happened")
        return written


class Hesitating:
    """A cluster before whose next write somebody else acts."""

    def __init__(self, cluster: Cluster, meanwhile: Callable[[], object]) -> None:
        self._cluster = cluster
        self._meanwhile = [meanwhile]

    def __getattr__(self, name: str):
        return getattr(self._cluster, name)

    def create(self, manifest):
        self._let_others()
        return self._cluster.create(manifest)

    def replace(self, changed):
        self._let_others()
        return self._cluster.replace(changed)

    def _let_others(self) -> None:
        while self._meanwhile:
            self._meanwhile.pop()()


@pytest.fixture(params=CLUSTERS)
def bench(request):
    with request.param() as made:
        yield made


@pytest.fixture
def clock():
    return Clock()


def target(bench: Bench, name: str = "reviews") -> Target:
    return Target(bench.namespace, name)


def held(bench: Bench, clock: Clock, holder: str, *names: str, above: int = 0) -> ClusterLease:
    lease = ClusterLease(bench.cluster, clock, holder)
    lease.acquire([target(bench, name) for name in names or ("reviews",)], above=above)
    return lease


def test_a_free_lease_is_taken_at_once(bench, clock):
    lease = held(bench, clock, "a")

    found = bench.cluster.get(target(bench).lease)
    assert found["spec"]["holderIdentity"] == "a"
    assert found["spec"]["leaseDurationSeconds"] == DURATION
    assert found["spec"]["leaseTransitions"] == lease.epoch == 1
    assert clock.time == NOON


def test_a_living_holder_is_named_with_since_and_until(bench, clock):
    first = held(bench, clock, "run-1@laptop/4711")
    clock.meanwhile = first.renew

    with pytest.raises(LockedError) as caught:
        held(bench, clock, "run-2@ci/1")

    assert clock.time - NOON <= FRESH + 2 * 2
    for part in ("run-1@laptop/4711", "since 2026-01-01 12:00:00 UTC, at least until 2026-01-01 12:00:"):
        assert part in caught.value.message
    assert "runner status run-1)" in str(caught.value.hint)


@pytest.mark.parametrize("before", [False, True], ids=["never held", "given up"])
def test_of_two_that_find_it_free_one_gets_it_and_the_other_is_told(bench, clock, before):
    if before:
        held(bench, clock, "z").release()
    first: list[ClusterLease] = []
    slow = Hesitating(bench.cluster, lambda: first.append(held(bench, clock, "a")))

    with pytest.raises(LockedError, match="a holds the lease"):
        ClusterLease(slow, clock, "b").acquire([target(bench)])

    clock.time += FRESH
    first[0].renew()
    assert held_by(bench.cluster, target(bench)) == "a"


def test_a_lease_that_came_and_went_before_ours_was_written_is_not_taken_for_ours(bench, clock):
    slow = Hesitating(bench.cluster, lambda: held(bench, clock, "a").release())

    with pytest.raises(ConflictError):
        ClusterLease(slow, clock, "b").acquire([target(bench)])

    assert held_by(bench.cluster, target(bench)) == ""


@pytest.mark.parametrize("before", [False, True], ids=["never held", "given up"])
def test_whoever_is_interrupted_while_a_lease_is_taken_leaves_it_free(bench, clock, before, monkeypatch):
    if before:
        held(bench, clock, "z").release()
    verb = "replace" if before else "create"
    write = getattr(bench.cluster, verb)

    def interrupted(lease):
        write(lease)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.cluster, verb, interrupted)
    with pytest.raises(KeyboardInterrupt):
        held(bench, clock, "a")

    assert held_by(bench.cluster, target(bench)) == ""


def test_a_lease_whose_creation_was_lost_on_the_way_is_not_held(bench, clock):
    def lost() -> None:
        raise UnknownOutcomeError("nobody knows whether it happened")

    with pytest.raises(UnknownOutcomeError):
        ClusterLease(Hesitating(bench.cluster, lost), clock, "a").acquire([target(bench)])

    assert held_by(bench.cluster, target(bench)) == ""


def test_a_lease_that_was_given_up_can_be_taken_again(bench, clock):
    lease = ClusterLease(bench.cluster, clock, "a")
    lease.acquire([target(bench)])
    lease.release()

    lease.acquire([target(bench)])

    assert held_by(bench.cluster, target(bench)) == "a"
    assert lease.epoch == 2


def test_a_silent_holder_is_taken_over_after_a_whole_duration_and_no_sooner(bench, clock):
    dead = held(bench, clock, "a")

    lease = held(bench, clock, "b")

    assert DURATION <= clock.time - NOON <= DURATION + 2
    assert lease.epoch > dead.epoch


def test_a_holder_that_wakes_up_after_a_takeover_learns_it(bench, clock):
    paused = held(bench, clock, "a")
    held(bench, clock, "b")

    with pytest.raises(LockedError, match="b took over"):
        paused.renew()


def test_a_clock_that_is_wrong_by_hours_takes_nothing_from_a_living_holder(bench, clock):
    first = held(bench, clock, "a")
    other = Clock()
    other.time = NOON + 86_400

    def later() -> None:
        clock.time += FRESH
        first.renew()

    other.meanwhile = later
    with pytest.raises(LockedError):
        held(bench, other, "b")


def test_a_released_lease_is_free_at_once_and_its_epoch_still_grows(bench, clock):
    first = held(bench, clock, "a")
    first.release()

    second = held(bench, clock, "b")

    assert second.epoch == first.epoch + 1
    assert clock.time == NOON


def test_releasing_leaves_a_lease_that_another_has_taken_over(bench, clock):
    late = held(bench, clock, "a")
    held(bench, clock, "b")

    late.release()

    assert bench.cluster.get(target(bench).lease)["spec"]["holderIdentity"] == "b"


def test_a_fresh_renewal_asks_nobody(bench, clock):
    lease = held(bench, clock, "a")
    before = bench.cluster.get(target(bench).lease)

    clock.time += FRESH - 1
    lease.renew()
    same = bench.cluster.get(target(bench).lease)
    clock.time += 1
    lease.renew()
    renewed = bench.cluster.get(target(bench).lease)

    assert same == before
    assert renewed["spec"]["renewTime"] == "2026-01-01T12:00:10.000000Z"
    assert renewed["spec"]["leaseTransitions"] == lease.epoch


def test_a_long_silence_of_ours_is_no_loss_while_nobody_came(bench, clock):
    lease = held(bench, clock, "a")
    clock.time += 10 * DURATION

    lease.renew()

    assert bench.cluster.get(target(bench).lease)["spec"]["holderIdentity"] == "a"


def test_a_lease_that_somebody_deleted_is_lost(bench, clock):
    lease = held(bench, clock, "a")
    bench.delete(target(bench).lease)
    clock.time += FRESH

    with pytest.raises(LockedError, match="deleted"):
        lease.renew()


def test_a_label_on_the_lease_takes_nothing_away(bench, clock):
    lease = held(bench, clock, "a")
    found = bench.cluster.get(target(bench).lease)
    bench.by("kubectl-label").replace({**found, "metadata": {**found["metadata"], "labels": {"x": "y"}}})
    clock.time += FRESH

    lease.renew()

    assert bench.cluster.get(target(bench).lease)["metadata"]["labels"] == {"x": "y"}


def test_all_routes_of_a_run_share_one_epoch_above_all_before(bench, clock):
    for _ in range(3):
        held(bench, clock, "a", "reviews").release()

    both = held(bench, clock, "b", "reviews", "ratings", above=7)
    both.release()
    one = held(bench, clock, "c", "ratings")

    assert (both.epoch, one.epoch) == (8, 9)


def test_a_run_that_cannot_have_all_its_routes_holds_none(bench, clock):
    other = held(bench, clock, "a", "ratings")
    clock.meanwhile = other.renew
    clock.time += FRESH

    with pytest.raises(LockedError):
        held(bench, clock, "b", "reviews", "ratings")

    assert clock.time - NOON < DURATION
    held(bench, clock, "c", "reviews")
    assert clock.time - NOON < DURATION


def test_answers_that_are_lost_are_looked_up(bench, clock):
    cluster = LosingAnswers(bench.cluster)
    cluster.lose = True
    lease = ClusterLease(cluster, clock, "a")
    lease.acquire([target(bench)])
    clock.time += FRESH
    cluster.lose = True

    lease.renew()

    assert bench.cluster.get(target(bench).lease)["spec"]["renewTime"] == "2026-01-01T12:00:10.000000Z"


def test_a_release_that_nobody_hears_of_changes_nothing_of_what_a_run_came_to(bench, clock):
    cluster = LosingAnswers(bench.cluster)
    lease = ClusterLease(cluster, clock, "a")
    lease.acquire([target(bench)])
    cluster.lose = True

    lease.release()

    assert held_by(bench.cluster, target(bench)) == ""


def test_a_holder_that_ends_while_its_lease_is_to_be_broken_leaves_nothing_to_break(bench, clock):
    clock.meanwhile = held(bench, clock, "r1@here/1/aa").release
    break_dead(bench.cluster, clock, target(bench), "r1@")
    assert held_by(bench.cluster, target(bench)) == ""

    clock.meanwhile = lambda: None
    held(bench, clock, "r2@here/1/aa")
    clock.meanwhile = lambda: bench.delete(target(bench).lease)
    break_dead(bench.cluster, clock, target(bench), "r2@")
    assert bench.cluster.get(target(bench).lease) is None


def test_a_lease_that_another_takes_while_it_is_to_be_broken_is_left_to_it(bench, clock):
    dead = held(bench, clock, "r1@here/1/aa")

    def taken_over() -> None:
        if held_by(bench.cluster, target(bench)) == "r1@here/1/aa":
            dead.release()
            held(bench, clock, "r2@ci/1")

    clock.meanwhile = taken_over
    with pytest.raises(LockedError, match="r2@ci/1 holds the lease"):
        break_dead(bench.cluster, clock, target(bench), "r1@")


def test_a_world_of_ones_own_needs_no_lease():
    lease = LocalLease()
    lease.renew()
    lease.release()

    assert lease.epoch == 1


def test_a_silent_holder_is_unlocked_and_a_living_one_is_not(bench, clock):
    lease = held(bench, clock, "r1@here/1/aa", "reviews")

    clock.meanwhile = lease.renew
    clock.time += FRESH
    with pytest.raises(LockedError):
        break_dead(bench.cluster, clock, target(bench), "r1@")

    clock.meanwhile = lambda: None
    break_dead(bench.cluster, clock, target(bench), "r2@")
    assert held_by(bench.cluster, target(bench)) == "r1@here/1/aa"
    break_dead(bench.cluster, clock, target(bench), "r1@")
    assert held_by(bench.cluster, target(bench)) == ""
