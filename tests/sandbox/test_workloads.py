"""Deployments become ready after a while, or never, and say so as Kubernetes does."""

import pytest

from runner.model.scenario import Gone, NotReady, NotReadyBecause, When
from tests.sandbox.worlds import deployment, get, sleep, world


def scaled(found, name, replicas):
    """Set the replicas of a Deployment."""
    body = deployment(found, name)
    return found.cluster.replace({**body, "spec": {**body["spec"], "replicas": replicas}})


def pods(found, **labels):
    """Pods with *labels*."""
    return found.cluster.list("v1", "Pod", "bookinfo", labels)


def ready(found, name):
    """Ready replicas as the Deployment says."""
    return deployment(found, name)["status"].get("readyReplicas", 0)


def condition(body, kind):
    """One condition of an object."""
    return next(found for found in body["status"]["conditions"] if found["type"] == kind)


def test_a_change_is_observed_later_than_it_is_made():
    found = world()

    answer = scaled(found, "reviews-v3", 2)
    status = deployment(found, "reviews-v3")["status"]
    sleep(found, 1)

    assert status["observedGeneration"] == answer["metadata"]["generation"] - 1
    assert deployment(found, "reviews-v3")["status"]["observedGeneration"] == answer["metadata"]["generation"]


def test_new_pods_are_ready_seconds_later():
    found = world()
    scaled(found, "reviews-v3", 3)

    sleep(found, 2)
    early = ready(found, "reviews-v3")
    sleep(found, 10)

    assert (early, ready(found, "reviews-v3")) == (1, 3)
    assert condition(deployment(found, "reviews-v3"), "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_a_new_template_replaces_pods_one_for_one_as_they_become_ready():
    found = world()
    before = {pod["metadata"]["name"] for pod in pods(found, version="v3")}
    body = deployment(found, "reviews-v3")
    template = body["spec"]["template"]
    image = {**template["spec"]["containers"][0], "image": "reviews:new"}
    template = {**template, "spec": {**template["spec"], "containers": [image]}}
    found.cluster.replace({**body, "spec": {**body["spec"], "template": template}})

    sleep(found, 1)
    during = {pod["metadata"]["name"] for pod in pods(found, version="v3")}
    sleep(found, 10)
    after = {pod["metadata"]["name"] for pod in pods(found, version="v3")}

    assert before < during
    assert len(after) == 1
    assert not after & before


def test_scaling_to_nothing_takes_all_pods_away():
    found = world()
    scaled(found, "reviews-v3", 0)
    sleep(found, 1)

    assert not pods(found, version="v3")
    assert "readyReplicas" not in deployment(found, "reviews-v3")["status"]


def test_endpoints_of_a_service_are_its_pods_with_their_readiness():
    found = world(When(NotReady(NotReadyBecause.NEVER), subset="canary"))

    slices = found.cluster.list(
        "discovery.k8s.io/v1", "EndpointSlice", "bookinfo", {"kubernetes.io/service-name": "reviews"}
    )
    old = get(found, "Endpoints", "reviews", "v1")

    states = {
        entry["targetRef"]["name"][:10]: entry["conditions"]["ready"] for entry in slices[0]["endpoints"]
    }
    assert states == {"reviews-v1": True, "reviews-v3": False}
    assert len(old["subsets"][0]["addresses"]) == len(old["subsets"][0]["notReadyAddresses"]) == 1


@pytest.mark.parametrize(
    ("because", "phase", "reason"),
    [
        (NotReadyBecause.NEVER, "Running", None),
        (NotReadyBecause.CRASH, "Running", "CrashLoopBackOff"),
        (NotReadyBecause.IMAGE, "Pending", "ImagePullBackOff"),
    ],
)
def test_pods_that_are_not_ready_say_why(because, phase, reason):
    found = world(When(NotReady(because), subset="canary", after=10.0))
    sleep(found, 10)

    pod = pods(found, version="v3")[0]

    assert condition(pod, "Ready")["status"] == "False"
    assert pod["status"]["phase"] == phase
    waiting = pod["status"]["containerStatuses"][0]["state"].get("waiting", {})
    assert waiting.get("reason") == reason
    assert condition(deployment(found, "reviews-v3"), "Available")["status"] == "False"
    assert ready(found, "reviews-v1") == 1


def test_an_unschedulable_pod_has_no_address():
    found = world(When(NotReady(NotReadyBecause.UNSCHEDULABLE), subset="canary"))

    pod = pods(found, version="v3")[0]

    assert "podIP" not in pod["status"]
    assert condition(pod, "PodScheduled")["reason"] == "Unschedulable"


def test_pods_recover_when_the_trouble_is_over():
    found = world(When(NotReady(NotReadyBecause.CRASH), subset="canary", lasting=30.0))

    sleep(found, 29)
    during = ready(found, "reviews-v3")
    sleep(found, 2)

    assert (during, ready(found, "reviews-v3")) == (0, 1)


def test_pods_that_are_gone_find_no_place_until_the_trouble_is_over():
    found = world(When(Gone(), subset="canary", after=10.0, lasting=60.0))
    before = pods(found, version="v3")[0]["metadata"]["name"]

    sleep(found, 20)
    during = pods(found, version="v3")
    sleep(found, 60)

    assert [pod["status"]["phase"] for pod in during] == ["Pending"]
    assert during[0]["metadata"]["name"] != before
    assert ready(found, "reviews-v3") == 1


def test_late_pods_become_ready_later():
    found = world(When(NotReady(delay=60.0), subset="canary"))
    scaled(found, "reviews-v3", 2)

    sleep(found, 50)
    early = ready(found, "reviews-v3")
    sleep(found, 30)

    assert (early, ready(found, "reviews-v3")) == (1, 2)


def test_a_rollout_that_makes_no_progress_exceeds_its_deadline():
    found = world(When(NotReady(NotReadyBecause.IMAGE), subset="canary"))
    scaled(found, "reviews-v3", 2)
    body = deployment(found, "reviews-v3")
    template = {**body["spec"]["template"]["metadata"], "annotations": {"new": "yes"}}
    spec = {**body["spec"], "template": {**body["spec"]["template"], "metadata": template}}
    found.cluster.replace({**body, "spec": spec})

    sleep(found, 599)
    early = condition(deployment(found, "reviews-v3"), "Progressing")["reason"]
    sleep(found, 2)

    assert early == "ReplicaSetUpdated"
    late = condition(deployment(found, "reviews-v3"), "Progressing")
    assert (late["status"], late["reason"]) == ("False", "ProgressDeadlineExceeded")
