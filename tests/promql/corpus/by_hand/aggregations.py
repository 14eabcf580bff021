"""Every aggregation, with and without labels."""

from collections.abc import Iterator

from tests.promql.corpus.case import MID, Case, both, instant, ranged
from tests.promql.corpus.names import AGGREGATES


def aggregations() -> Iterator[Case]:
    for name in AGGREGATES:
        for grouping in (
            "",
            " by (job)",
            " by (job, code)",
            " without (instance)",
            " without (instance, code)",
            " by ()",
            " without ()",
            " by (none)",
            " by (__name__)",
        ):
            yield from instant(name, "counters", f"{name}{grouping} (requests_total)")
        yield from ranged(
            name,
            "counters",
            f"{name} by (job) (requests_total)",
            f"{name} without (job) (rate(requests_total[1m]))",
            f"{name}(requests_total)",
        )
        yield from both(
            name,
            "gauges",
            f"{name}(gauge)",
            f"{name} by (half) (gauge)",
            f'{name}(gauge{{shape=~"huge.*"}})',
            f'{name}(gauge{{shape=~"cancel|walk|zero"}})',
        )
        yield from instant(
            name,
            "gauges",
            f'{name}(gauge{{shape=~"nan|walk"}})',
            f'{name}(gauge{{shape=~"allnan|flatinf"}})',
            f'{name}(gauge{{shape=~"inf|neginf|bothinf"}})',
            f"{name}(none)",
            at=(MID - 45_000, MID),
        )
        yield from instant(
            name,
            "joins",
            f"{name} without (job) ({{job=~'.+'}})",
            f'{name} by ("über") (odd_names)',
            f"{name} without (job) (typed)",
            f"{name} by (__type__) (typed)",
        )
    for name in ("topk", "bottomk"):
        for k in ("1", "3", "100", "0", "-1", "1.9", "NaN", "Inf", "scalar(one)"):
            yield from both(
                name, "counters", f"{name}({k}, requests_total)", f"{name} by (job) ({k}, requests_total)"
            )
        yield from both(
            name,
            "gauges",
            f"{name}(2, gauge)",
            f"{name}(50, gauge)",
            f"{name} by (half) (3, gauge)",
            f"{name} without (shape) (2, gauge)",
            f'{name}(2, gauge{{shape=~"nan|allnan"}})',
        )
        yield from both(
            name,
            "joins",
            f"{name}(2, errors)",
            f"{name}(2, info)",
            f"{name}(1, info)",
            f"{name} by (job) (1, {{job=~'.+'}})",
            f"{name}(NaN, none)",
            f"{name}(1, none)",
        )
    for rank in ("0", "0.5", "0.99", "1", "-0.1", "1.1", "NaN"):
        yield from both(
            "quantile",
            "counters",
            f"quantile({rank}, requests_total)",
            f"quantile by (job) ({rank}, requests_total)",
        )
        yield from both(
            "quantile", "gauges", f"quantile({rank}, gauge)", f"quantile without (shape) ({rank}, gauge)"
        )
    yield from both("quantile", "joins", "quantile(scalar(one) / 4, left)", "quantile(0.5, none)")
    yield from both(
        "count_values",
        "joins",
        'count_values("v", info)',
        'count_values("v", left)',
        'count_values by (job) ("v", errors)',
        'count_values without (code) ("v", errors)',
        'count_values("job", errors)',
        'count_values by (job) ("job", errors)',
        'count_values("v", errors / 3)',
        'count_values("über", info)',
        'count_values("__name__", info)',
    )
    yield from both(
        "count_values",
        "gauges",
        'count_values("v", gauge)',
        'count_values("v", gauge * 1e30)',
        'count_values("v", round(smooth))',
        'count_values("", gauge)',
    )
