"""What `runner init` makes of a live VirtualService."""

import pytest
import yaml

from runner.cli.starter import Service, from_virtual_service, playbook
from runner.errors import RunnerError


def virtual_service(*http: dict) -> dict:
    return {
        "metadata": {"name": "reviews", "namespace": "bookinfo"},
        "spec": {"hosts": ["reviews"], "http": list(http)},
    }


def to(**weights: int | None) -> list[dict]:
    """Destinations of reviews by subset."""
    return [
        {
            "destination": {"host": "reviews", "subset": subset},
            **({} if weight is None else {"weight": weight}),
        }
        for subset, weight in weights.items()
    ]


def rule(host: str = "reviews", **labels: dict) -> dict:
    return {
        "spec": {"host": host, "subsets": [{"name": name, "labels": found} for name, found in labels.items()]}
    }


RULE = rule(v1={"version": "v1"}, v2={"version": "v2"}, v3={"version": "v3"})


def made(service: Service) -> dict:
    return yaml.safe_load(playbook(service, schema="s.json", prometheus="http://prometheus:9090"))


def test_the_subset_that_is_declared_last_is_the_canary() -> None:
    service = from_virtual_service(virtual_service({"route": to(v1=None)}), [RULE])

    assert (service.name, service.namespace, service.host) == ("reviews", "bookinfo", "reviews")
    assert (service.canary, service.revision, service.http) == ("v3", "v3", None)


def test_a_subset_that_the_rule_no_longer_declares_can_still_be_the_canary() -> None:
    service = from_virtual_service(virtual_service({"route": to(v1=90, v2=10)}), [])

    assert service.canary == "v2"
    assert "90 % to v1 and 10 % to v2" in service.origin


def test_the_revision_is_read_as_istio_reads_it() -> None:
    found = rule(stable={"version": "1.4.1"}, next={"app.kubernetes.io/version": "1.4.2", "version": "other"})

    service = from_virtual_service(virtual_service({"route": to(stable=None)}), [found])

    assert (service.canary, service.revision) == ("next", "1.4.2")
    assert made(service)["vars"]["revision"] == "1.4.2"
    assert "{{ revision }}" in made(service)["checks"]["errors"]["ratio"]["of"]


def test_rules_of_other_hosts_are_not_ours() -> None:
    full = rule("reviews.bookinfo.svc.cluster.local", v1={}, v2={})
    other = rule("reviews.shop.svc.cluster.local", v1={}, v9={})

    service = from_virtual_service(virtual_service({"route": to(v1=None)}), [other, full])

    assert service.canary == "v2"


def test_with_several_routes_the_one_that_everybody_takes_is_named() -> None:
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": to(v2=None)}
    named = {"name": "everybody", "route": to(v1=None)}

    by_name = from_virtual_service(virtual_service(jason, named), [RULE])
    by_index = from_virtual_service(virtual_service(jason, {"route": to(v1=None)}), [RULE])

    assert (by_name.http, by_index.http) == ("everybody", 1)
    assert made(by_index)["routes"]["reviews"]["http"] == 1


def test_a_service_without_subsets_is_refused_in_words() -> None:
    with pytest.raises(
        RunnerError, match="no http route of VirtualService bookinfo/reviews sends traffic to subsets"
    ):
        from_virtual_service(virtual_service({"route": [{"destination": {"host": "reviews"}}]}), [RULE])


def test_a_single_subset_is_refused_in_words() -> None:
    with pytest.raises(RunnerError, match="v1 is the only subset of reviews"):
        from_virtual_service(virtual_service({"route": to(v1=None)}), [rule(v1={})])


@pytest.mark.parametrize("name", ["on", "no", "1e3", "80-20", "a.b"])
def test_names_that_yaml_takes_for_something_else_stay_names(name: str) -> None:
    document = made(Service(name, name, canary=name))

    assert document["routes"][name]["virtualService"] == name
    assert document["target"]["namespace"] == name
    assert document["vars"]["canary"] == name
