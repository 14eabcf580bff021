"""Objects as an API server keeps them: versions, owners, defaults, refusals."""

import copy

import pytest

from runner.errors import ApplyConflictError, ConflictError, FieldConflict, RunnerError
from runner.model.scenario import Edit, MergeObject, PutObjects, SetWeights, When
from runner.model.stages import Manifest
from runner.ports import ObjectRef
from tests.sandbox.worlds import ISTIO, bare, deployment, get, sleep, split, world

SERVICE = {
    "apiVersion": ISTIO,
    "kind": "VirtualService",
    "metadata": {"name": "reviews", "namespace": "bookinfo"},
    "spec": {
        "hosts": ["reviews"],
        "http": [{"route": [{"destination": {"host": "reviews", "subset": "v1"}}]}],
    },
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "orders", "namespace": "bookinfo"},
    "spec": {
        "selector": {"matchLabels": {"app": "orders"}},
        "template": {
            "metadata": {"labels": {"app": "orders"}},
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "image": "orders:1",
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 8080}],
                    },
                    {"name": "side", "image": "side:1"},
                ]
            },
        },
    },
}


def changed(body, *path, to):
    """A copy of *body* with another value at *path*."""
    result = copy.deepcopy(body)
    node = result
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = to
    return result


def weighted(weights):
    """SERVICE with weights."""
    route = [{"destination": {"host": "reviews", "subset": s}, "weight": w} for s, w in weights.items()]
    return changed(SERVICE, "spec", "http", to=[{"route": route}])


def owners(body):
    """Managers and how they wrote."""
    return {(entry["manager"], entry["operation"]) for entry in body["metadata"]["managedFields"]}


def test_applying_the_same_twice_changes_nothing():
    found = bare()
    first = found.cluster.apply(SERVICE)
    sleep(found, 5)

    second = found.cluster.apply(SERVICE)

    assert second == first


def test_a_dry_run_answers_what_would_be_and_keeps_nothing():
    found = bare()

    answer = found.cluster.apply(SERVICE, dry_run=True)

    assert answer["spec"] == SERVICE["spec"]
    assert get(found, "VirtualService", "reviews") is None


def test_an_apply_conflicts_with_our_own_earlier_update():
    found = bare(SERVICE)
    split(found, {"v1": 80, "v3": 20})

    with pytest.raises(ApplyConflictError) as refused:
        found.cluster.apply(SERVICE)

    assert refused.value.conflicts == (FieldConflict("runner", "Update", ".spec.http"),)
    assert get(found, "VirtualService", "reviews")["spec"]["http"][0]["route"][1]["weight"] == 20


def test_a_forced_apply_takes_the_fields_over():
    found = bare(SERVICE)
    split(found, {"v1": 80, "v3": 20})

    answer = found.cluster.apply(SERVICE, force=True)

    assert owners(answer) == {("runner", "Apply")}
    assert answer["spec"] == SERVICE["spec"]


def test_an_apply_of_what_is_there_anyway_shares_the_fields():
    found = bare(SERVICE)
    split(found, {"v1": 80, "v3": 20})

    answer = found.cluster.apply(weighted({"v1": 80, "v3": 20}))

    assert owners(answer) == {("runner", "Apply"), ("runner", "Update")}


def test_fields_that_an_apply_leaves_out_go_away_unless_another_owns_them():
    found = bare(changed(SERVICE, "metadata", "labels", to={"ours": "1", "theirs": "2"}))
    theirs = changed(SERVICE, "metadata", "labels", to={"theirs": "2"})
    found.registry.apply(found.present(), theirs, "argocd")

    answer = found.cluster.apply(SERVICE)

    assert answer["metadata"]["labels"] == {"theirs": "2"}


def test_containers_env_and_ports_merge_by_their_keys():
    found = bare(DEPLOYMENT)
    theirs = {
        **{key: DEPLOYMENT[key] for key in ("apiVersion", "kind", "metadata")},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "env": [{"name": "C", "value": "3"}],
                            "ports": [{"containerPort": 9090}],
                        }
                    ]
                }
            }
        },
    }
    found.registry.apply(found.present(), theirs, "injector")

    answer = found.cluster.apply(changed(DEPLOYMENT, "spec", "replicas", to=2))

    app = answer["spec"]["template"]["spec"]["containers"][0]
    assert [entry["name"] for entry in app["env"]] == ["A", "B", "C"]
    assert [entry["containerPort"] for entry in app["ports"]] == [8080, 9090]


def test_two_managers_of_one_image_conflict_about_the_image_alone():
    found = bare(DEPLOYMENT)
    theirs = changed(DEPLOYMENT, "spec", "template", "spec", "containers", 0, "image", to="orders:2")

    with pytest.raises(ApplyConflictError) as refused:
        found.registry.apply(found.present(), theirs, "argocd")

    field = '.spec.template.spec.containers[name="app"].image'
    assert refused.value.conflicts == (FieldConflict("runner", "Apply", field),)


def test_a_container_that_an_apply_leaves_out_goes_away():
    found = bare(DEPLOYMENT)
    one = changed(
        DEPLOYMENT, "spec", "template", "spec", "containers", to=[{"name": "app", "image": "orders:1"}]
    )

    answer = found.cluster.apply(one)

    containers = answer["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["app"]
    assert "env" not in containers[0]


def test_the_destinations_of_a_virtual_service_are_one_value_with_one_owner():
    found = bare(weighted({"v1": 100}))

    with pytest.raises(ApplyConflictError) as refused:
        found.registry.apply(found.present(), weighted({"v1": 50, "v3": 50}), "kubectl")

    assert [conflict.field for conflict in refused.value.conflicts] == [".spec.http"]


def test_a_write_with_an_outdated_version_is_a_conflict_and_changes_nothing():
    found = bare(SERVICE)
    read = get(found, "VirtualService", "reviews")
    split(found, {"v1": 80, "v3": 20})

    with pytest.raises(ConflictError):
        found.cluster.replace(changed(read, "spec", "hosts", to=["other"]))

    assert get(found, "VirtualService", "reviews")["spec"]["hosts"] == ["reviews"]


def test_a_replacement_takes_ownership_of_what_it_changes_only():
    found = bare(SERVICE)

    answer = split(found, {"v1": 80, "v3": 20})

    fields = {
        entry["operation"]: entry["fieldsV1"]["f:spec"] for entry in answer["metadata"]["managedFields"]
    }
    assert fields == {"Apply": {"f:hosts": {}}, "Update": {"f:http": {}}}


def test_a_created_object_exists_once():
    found = bare()
    found.cluster.create(SERVICE)

    with pytest.raises(ConflictError, match="already exists"):
        found.cluster.create(SERVICE)


def test_generation_counts_changes_of_the_spec_only():
    found = bare(SERVICE)
    labelled = changed(SERVICE, "metadata", "labels", to={"a": "b"})

    assert found.cluster.apply(labelled)["metadata"]["generation"] == 1
    assert split(found, {"v1": 80, "v3": 20})["metadata"]["generation"] == 2


def test_every_served_version_shows_the_same_object():
    found = bare(changed(SERVICE, "apiVersion", to="networking.istio.io/v1alpha3"))

    newer, older = (
        get(found, "VirtualService", "reviews", f"networking.istio.io/{v}") for v in ("v1", "v1beta1")
    )

    assert newer["spec"] == older["spec"]
    assert (newer["apiVersion"], older["apiVersion"]) == (ISTIO, "networking.istio.io/v1beta1")


def test_what_a_manifest_leaves_out_is_filled_in_as_by_the_server():
    found = bare(DEPLOYMENT)

    spec = deployment(found, "orders")["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    container = spec["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (changed(SERVICE, "spec", "http", to=[{}]), "HTTP route, redirect or direct_response is required"),
        (weighted({"v1": 120, "v3": -20}), "weight -20 < 0"),
        (weighted({"v1": 0, "v3": 0}), "total destination weight = 0"),
        (changed(SERVICE, "spec", "hosts", to=[]), "at least one host"),
        (changed(SERVICE, "spec", "htp", to=[]), 'unknown field "spec.htp"'),
        (changed(SERVICE, "metadata", "name", to="Reviews_1"), "RFC 1123"),
        (changed(SERVICE, "metadata", "namespace", to="nowhere"), 'namespaces "nowhere" not found'),
        (changed(SERVICE, "kind", to="VirtualServise"), "knows no VirtualServise"),
        (changed(DEPLOYMENT, "spec", "replicas", to=-1), "must be greater than or equal to 0"),
        (
            changed(DEPLOYMENT, "spec", "template", "metadata", "labels", to={"app": "other"}),
            "`selector` does not match template `labels`",
        ),
        (changed(DEPLOYMENT, "spec", "template", "spec", "containers", to=[]), "containers: Required value"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_server_refuses_is_refused_in_its_words(body, words):
    found = bare()

    with pytest.raises(RunnerError) as refused:
        found.cluster.apply(body)

    assert words in refused.value.message
    assert refused.value.message.startswith("cannot apply ")


def test_a_sum_of_130_is_accepted_as_istio_accepts_it():
    assert bare().cluster.apply(weighted({"v1": 80, "v3": 50}))


def test_a_missing_namespace_comes_with_the_line_that_makes_it():
    with pytest.raises(RunnerError) as refused:
        bare().cluster.apply(changed(SERVICE, "metadata", "namespace", to="shop"))

    assert refused.value.hint == (
        "kubectl create namespace shop && kubectl label namespace shop istio-injection=enabled"
    )


def test_the_selector_of_a_deployment_never_changes():
    found = bare(DEPLOYMENT)
    other = changed(DEPLOYMENT, "spec", "selector", "matchLabels", to={"app": "orders", "x": "y"})
    other = changed(other, "spec", "template", "metadata", "labels", to={"app": "orders", "x": "y"})

    with pytest.raises(RunnerError, match="field is immutable"):
        found.cluster.apply(other)


def test_a_definition_makes_its_kind_known():
    found = bare()
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "m", "namespace": "bookinfo"},
    }
    with pytest.raises(RunnerError, match="CustomResourceDefinition is missing"):
        found.cluster.apply(monitor)
    found.cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
            "spec": {
                "group": "monitoring.coreos.com",
                "names": {"kind": "ServiceMonitor", "plural": "servicemonitors"},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": True, "storage": True}],
            },
        }
    )

    assert found.cluster.apply(monitor)


def test_what_is_read_can_be_changed_without_changing_the_world():
    found = bare(SERVICE)

    get(found, "VirtualService", "reviews")["spec"]["hosts"].append("other")

    assert get(found, "VirtualService", "reviews")["spec"]["hosts"] == ["reviews"]


def test_a_person_who_edits_weights_owns_the_routes_afterwards():
    found = world(When(Edit(SetWeights((("v1", 50), ("v3", 50)))), after=30.0))
    read = get(found, "VirtualService", "reviews")
    sleep(found, 30)

    with pytest.raises(ConflictError):
        found.cluster.replace(read)

    answer = get(found, "VirtualService", "reviews")
    assert [item["weight"] for item in answer["spec"]["http"][0]["route"]] == [50, 50]
    assert ("kubectl-edit", "Update") in owners(answer)


def test_a_person_who_applies_a_file_lays_it_over_what_is_there():
    file = Manifest("vs.yaml", weighted({"v1": 10, "v3": 90}))
    found = world(When(Edit(PutObjects((file,)))))

    answer = get(found, "VirtualService", "reviews")

    assert [item["weight"] for item in answer["spec"]["http"][0]["route"]] == [10, 90]
    assert ("kubectl-client-side-apply", "Update") in owners(answer)


def test_a_person_who_patches_an_object_changes_that_alone():
    found = world(When(Edit(MergeObject("Deployment", "reviews-v3", {"spec": {"replicas": 3}}), "hpa")))
    sleep(found, 30)

    assert deployment(found, "reviews-v3")["status"]["readyReplicas"] == 3
    assert deployment(found, "reviews-v1")["status"]["readyReplicas"] == 1


def test_an_object_of_an_unknown_kind_cannot_even_be_asked_for():
    with pytest.raises(RunnerError, match="knows no Rollout"):
        bare().cluster.get(ObjectRef("argoproj.io/v1alpha1", "Rollout", "bookinfo", "x"))
