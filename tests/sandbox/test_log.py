"""A world is its setup and its effects: asking changes nothing, and the log brings it back."""

import json
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import DisagreementError, RunnerError
from runner.model.scenario import (
    ApiFault,
    ApiTrouble,
    DeleteObject,
    Edit,
    Errors,
    Given,
    Gone,
    Load,
    MergeObject,
    MetricsFault,
    MetricsTrouble,
    NotReady,
    NotReadyBecause,
    PutObjects,
    SetWeights,
    Slowness,
    TrafficChange,
    When,
)
from runner.model.stages import Manifest, Stage, Wait
from runner.sandbox import World, prepare
from runner.sandbox.setup import decode, encode
from tests.sandbox.worlds import (
    START,
    apply_all,
    ask,
    begin,
    bookinfo,
    deployment,
    everything,
    get,
    playbook,
    sleep,
    split,
    world,
)

FILE = Manifest(
    "cm.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}
)
FAULTS = [
    Errors(0.3),
    Slowness(300.0, 2.0),
    TrafficChange(factor=0.5),
    NotReady(NotReadyBecause.CRASH),
    NotReady(delay=20.0),
    Gone(),
    ApiFault(ApiTrouble.LOST, call=1),
    ApiFault(ApiTrouble.BUSY),
    MetricsFault(MetricsTrouble.DOWN),
    MetricsFault(MetricsTrouble.EMPTY),
    Edit(SetWeights((("v1", 60), ("v3", 40)))),
    Edit(DeleteObject("Deployment", "reviews-v3")),
    Edit(MergeObject("Deployment", "reviews-v1", {"spec": {"replicas": 2}})),
    Edit(PutObjects((FILE,))),
]


def play(found, *, ask_often=False):
    """A release, watched by somebody who looks seldom or often."""

    def nap(seconds):
        end = found.clock.now() + seconds
        while found.clock.now() < end:
            found.clock.sleep_until(min(end, found.clock.now() + (1.7 if ask_often else seconds)))
            if ask_often:
                found.metrics.query("sum(rate(istio_requests_total[1m]))", found.clock.now())
                found.tally()
                _tried(lambda: found.cluster.list("v1", "Pod", "bookinfo", {}))

    for stage, share in (("one", 20), ("two", 50), ("three", 100)):
        begin(found, stage)
        _tried(lambda share=share: split(found, {"v1": 100 - share, "v3": share}))
        nap(40)
    return found


def _tried(act):
    try:
        act()
    except (RunnerError, KeyError, TypeError):
        return  # an object is gone, or the API server is


def seen(found):
    """Everything of a world whose API server answers again."""
    found.present()
    found.faults._active.clear()
    return everything(found)


whens = st.lists(
    st.builds(
        When,
        st.sampled_from(FAULTS),
        stage=st.sampled_from([None, "one", "two"]),
        after=st.sampled_from([0.0, 7.5, 31.0]),
        lasting=st.sampled_from([None, 10.0, 45.0]),
        subset=st.sampled_from([None, "canary", "stable"]),
    ),
    max_size=4,
)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(whens, st.integers(0, 3))
def test_asking_more_often_changes_nothing(faults, seed):
    seldom = play(world(*faults, seed=seed))
    often = play(world(*faults, seed=seed), ask_often=True)

    assert seen(seldom) == seen(often)


@quick
@given(whens, st.integers(0, 3))
def test_the_log_brings_back_the_same_world(tmp_path, faults, seed):
    path = tmp_path / "run.world"
    original = play(world(*faults, seed=seed, path=path))
    original.close()

    again = World.open(path, now=original.clock.now())
    again.close()

    assert seen(again) == seen(original)


def test_another_seed_is_another_world():
    assert everything(play(world(seed=1))) != everything(play(world(seed=2)))


def test_bookinfo_comes_back_from_its_log(tmp_path):
    of, path = bookinfo(), tmp_path / "run.world"
    original = world(of=of, path=path)
    apply_all(original, of)
    play(original)
    original.close()

    again = World.open(path, now=original.clock.now())

    assert everything(again) == everything(original)


def test_a_world_that_was_left_alone_has_stood_still(tmp_path):
    path = tmp_path / "run.world"
    first = world(path=path)
    sleep(first, 30)
    split(first, {"v1": 80, "v3": 20})
    sleep(first, 100)
    first.close()

    assert World.open(path).clock.now() == START + 30
    assert World.open(path, now=START + 130).clock.now() == START + 130
    assert World.open(path, now=START).clock.now() == START + 30


def test_a_run_goes_on_in_the_world_that_it_left(tmp_path):
    path = tmp_path / "run.world"
    whole = play(world(When(Errors(0.3), subset="canary", stage="one")))
    first = world(When(Errors(0.3), subset="canary", stage="one"), path=path)
    begin(first, "one")
    split(first, {"v1": 80, "v3": 20})
    sleep(first, 17)
    left = first.clock.now()
    first.close()

    second = World.open(path, now=left)
    sleep(second, 23)
    for stage, share in (("two", 50), ("three", 100)):
        begin(second, stage)
        split(second, {"v1": 100 - share, "v3": share})
        sleep(second, 40)
    second.close()

    assert everything(second) == everything(whole)
    assert everything(World.open(path, now=whole.clock.now())) == everything(whole)


def test_an_effect_is_in_the_log_before_it_is_answered(tmp_path):
    path = tmp_path / "run.world"
    found = world(When(ApiFault(ApiTrouble.LOST)), path=path)
    body = found.witness
    assert body

    _tried(lambda: split(found, {"v1": 80, "v3": 20}))

    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["op"], last["object"]["metadata"]["name"]) == ("replace", "reviews")


def test_reading_and_trying_write_nothing(tmp_path):
    path = tmp_path / "run.world"
    found = world(path=path)
    before = path.read_bytes()

    manifest = {key: get(found, "VirtualService", "reviews")[key] for key in ("apiVersion", "kind", "spec")}
    found.cluster.apply({**manifest, "metadata": {"name": "other", "namespace": "bookinfo"}}, dry_run=True)
    deployment(found, "reviews-v1")
    ask(found, "istio_requests_total")
    sleep(found, 60)

    assert path.read_bytes() == before


def test_the_log_is_its_owners_alone(tmp_path):
    path = tmp_path / "deep" / "run.world"

    world(path=path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_torn_last_line_was_never_answered_and_is_cut(tmp_path):
    path = tmp_path / "run.world"
    found = world(path=path)
    split(found, {"v1": 80, "v3": 20})
    found.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at": 17672688000')

    again = World.open(path)
    split(again, {"v1": 50, "v3": 50})
    again.close()

    assert path.read_bytes().startswith(whole)
    assert [json.loads(line) for line in path.read_text().splitlines()][-1]["op"] == "replace"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no sandbox world"),
        (b"not json\n", "damaged at line 1"),
        (b'{"v": 99, "world": {}}\n', "no sandbox world"),
        (b"[]\n", "damaged at line 1"),
        (b'{"v": 1}\n', "no sandbox world"),
        (b'{"v": 1, "world": {}}\n', "what no world was made from"),
        (b'{"v": 1, "world": {"_": "Setup", "seed": "x", "start": []}}\n', "what no world was made from"),
    ],
)
def test_what_is_no_log_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "run.world"
    path.write_bytes(content)

    with pytest.raises(DisagreementError, match=words):
        World.open(path)


@pytest.mark.parametrize(
    "line",
    ["{}", '{"at": "x", "op": "stage"}', '{"at": 1, "op": "replace"}', f'{{"at": {10**15}, "op": "stage"}}'],
)
def test_an_effect_that_is_none_is_refused_in_words(tmp_path, line):
    path = tmp_path / "run.world"
    world(path=path).close()
    path.write_text(f"{path.read_text()}{line}\n")

    with pytest.raises(DisagreementError, match="damaged"):
        World.open(path)


def test_a_world_is_not_gone_on_with_years_after_its_last_effect(tmp_path):
    """Every request in between would be drawn first."""
    path = tmp_path / "run.world"
    world(path=path).close()
    World.open(path, now=START + 30 * 86_400).close()

    with pytest.raises(DisagreementError, match="goes on long after"):
        World.open(path, now=START + 365 * 86_400)


def test_a_missing_log_is_a_disagreement(tmp_path):
    with pytest.raises(DisagreementError, match="No such file"):
        World.open(tmp_path / "nothing.world")


def test_a_log_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunnerError, match="cannot write the sandbox's world"):
        world(path=tmp_path / "file" / "run.world")


@given(whens)
def test_a_setup_survives_a_line_of_text(faults):
    from runner.model.scenario import Scenario

    given_load = Given(traffic=(("reviews", Load(5.0, headers=(("a", "b"),))),))
    of = playbook(Stage("one", Wait(1.0)), Stage("two", Wait(1.0)))
    setup = prepare(of, Scenario("s", given=given_load, when=tuple(faults)), seed=1, start=START)

    assert decode(json.loads(json.dumps(encode(setup)))) == setup
