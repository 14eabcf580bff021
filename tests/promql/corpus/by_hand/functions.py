"""Every function, on the worlds made for it."""

from collections.abc import Iterator

from tests.promql.corpus.case import INSTANTS, MID, Case, both, instant, ranged
from tests.promql.corpus.names import CALENDAR, ELEMENTWISE, OVER_TIME
from tests.promql.corpus.worlds import BASE, MINUTE


def elementwise() -> Iterator[Case]:
    for name in ELEMENTWISE:
        yield from both(name, "gauges", f"{name}(gauge)", f"{name}(parts)", f"{name}(-gauge{{half='0'}})")
        yield from instant(
            name,
            "gauges",
            f"{name}(gauge / 40)",
            f"{name}(smooth) * 2",
            f"{name}(vector(0))",
            f"{name}(vector(-0.5))",
            f"{name}(vector(2.5))",
            f"{name}(vector(1e300))",
            f"{name}(none)",
            at=(MID + 7_500,),
        )
        yield from instant(name, "joins", f'{name}({{__name__=~"one|left"}})', f"sum({name}(left))")
    yield from both(
        "round", "gauges", *[f"round(gauge, {n})" for n in ("5", "0.1", "-3", "0", "1e-3", "NaN", "Inf")]
    )
    yield from instant(
        "round",
        "gauges",
        "round(vector(2.5))",
        "round(vector(-2.5))",
        "round(vector(0.5))",
        "round(vector(1e17), 10)",
    )


def clamps() -> Iterator[Case]:
    for low, high in (
        ("-5", "5"),
        ("0", "0"),
        ("5", "-5"),
        ("NaN", "1"),
        ("-Inf", "Inf"),
        ("1", "NaN"),
        ("-1", "Inf"),
    ):
        yield from both("clamp", "gauges", f"clamp(gauge, {low}, {high})")
        yield from both("clamp_min", "gauges", f"clamp_min(gauge, {low})")
        yield from both("clamp_max", "gauges", f"clamp_max(gauge, {high})")
    yield from instant(
        "clamp", "gauges", "clamp(gauge, scalar(smooth{shape='sine'}), 3)", "clamp_min(gauge, time() / 1e9)"
    )


def calendar() -> Iterator[Case]:
    for name in CALENDAR:
        yield from both(
            name,
            "gauges",
            f"{name}(clock)",
            f"{name}()",
            f"{name}(vector(time() - 86400 * 45))",
            f"{name}(gauge)",
        )
        yield from instant(
            name,
            "gauges",
            *[
                f"{name}(vector({t}))"
                for t in (
                    "0",
                    "-1",
                    "86399.999",
                    "951782400",
                    "1709164800",
                    "4107542400",
                    "-62135596800",
                    "253402300800",
                    "1e15",
                )
            ],
        )
        yield from instant(name, "edges", f"{name}(dawn)", at=(0, -30_000, 60_500))


def over_time() -> Iterator[Case]:
    for name in OVER_TIME:
        yield from both(name, "counters", f"{name}(requests_total[2m])", at=(MID,))
        yield from instant(
            name,
            "counters",
            f'{name}(requests_total{{instance="b"}}[5m])',
            f'{name}(requests_total{{instance="c"}}[90s] offset 2m)',
            at=INSTANTS,
        )
        yield from both(name, "gauges", f"{name}(gauge[1m])", f"{name}(gauge[4m] offset 1m)")
        yield from instant(
            name,
            "gauges",
            f"{name}(gauge[10m])",
            f"{name}(smooth[3m])",
            f"{name}(gauge[15s])",
            f"{name}(gauge[16s])",
        )
        yield from ranged(
            name, "edges", f"{name}(edge[1m])", f"{name}(edge[5m])", f"{name}(edge[2m1ms])", step=2 * MINUTE
        )
        yield from instant(
            name,
            "edges",
            f"{name}(edge[3m])",
            f"{name}(edge[59s999ms])",
            at=(BASE + 3 * MINUTE, BASE + 3 * MINUTE + 1, BASE + 5 * MINUTE - 1),
        )
        yield from instant(
            name, "edges", f"{name}(dawn[2m])", f"{name}(dawn[2m:30s])", at=(0, 45_000, -100_000)
        )
        yield from both(name, "counters", f"{name}(sum by (job) (requests_total)[3m:20s])")
        yield from instant(name, "joins", f'{name}({{__name__=~"left|right"}}[5m])', f"{name}(none[5m])")
    for rank in ("0", "0.5", "0.9", "1", "-1", "2", "NaN", "0.333"):
        yield from both("quantile_over_time", "gauges", f"quantile_over_time({rank}, gauge[3m])")
        yield from instant(
            "quantile_over_time", "edges", f"quantile_over_time({rank}, edge[5m])", at=(BASE + 5 * MINUTE,)
        )
    yield from both("quantile_over_time", "gauges", "quantile_over_time(scalar(parts), gauge[2m])")
    for ahead in ("0", "60", "-600", "1h", "NaN", "Inf", "time() - 1.6e9"):
        yield from both(
            "predict_linear",
            "gauges",
            f"predict_linear(gauge[5m], {ahead})",
            f"predict_linear(smooth[2m] offset 1m, {ahead})",
        )
    yield from both(
        "predict_linear",
        "gauges",
        f"predict_linear(smooth[5m] @ {MID / 1000}, 60)",
        "predict_linear(gauge[10s], 60)",
    )
    for name in ("rate", "increase", "delta"):
        for at in (
            "minutes",
            "late",
            "early",
            "pair",
            "sparse",
            "start",
            "end",
            "falling",
            "fromzero",
            "resets",
        ):
            for window in ("2m", "3m", "4m30s", "5m", "20m"):
                yield from instant(
                    name,
                    "edges",
                    f'{name}(edge{{at="{at}"}}[{window}])',
                    at=(BASE + 3 * MINUTE, BASE + 5 * MINUTE + 30_000, BASE + 9 * MINUTE),
                )


def absence() -> Iterator[Case]:
    yield from both(
        "absent",
        "counters",
        "absent(requests_total)",
        "absent(none)",
        'absent(none{a="b"})',
        'absent(none{a="b",a="c"})',
        'absent(none{a="b",c!="d",e=~"f"})',
        'absent({__name__="none",x="y"})',
        "absent(sum(none))",
        'absent(none{a=~"b"} + 1)',
        'absent(requests_total{instance="c"})',
        'absent((none{a="b"}))',
        'absent(none{a="b"} offset 5m)',
    )
    yield from both(
        "absent_over_time",
        "counters",
        "absent_over_time(requests_total[1m])",
        "absent_over_time(none[1m])",
        'absent_over_time(none{a="b"}[1m])',
        'absent_over_time(requests_total{instance="c"}[1m])',
        'absent_over_time(requests_total{instance="c",job="web"}[30s])',
        'absent_over_time(none{a="b"}[1m:10s])',
        'absent_over_time(rate(requests_total{instance="c"}[30s])[1m:15s])',
        'absent_over_time({instance="x",__name__=~"n.*"}[5m])',
    )


def histograms() -> Iterator[Case]:
    for rank in ("0", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN", "1e-9", "0.25"):
        yield from both(
            "histogram_quantile",
            "buckets",
            f"histogram_quantile({rank}, latency_bucket)",
            f"histogram_quantile({rank}, rate(latency_bucket[2m]))",
        )
        yield from instant(
            "histogram_quantile",
            "buckets",
            f'histogram_quantile({rank}, sum by (le) (rate(latency_bucket{{kind=~"good|other"}}[5m])))',
            f"histogram_quantile({rank}, sum by (le, kind) (increase(latency_bucket[3m])))",
        )
    yield from both(
        "histogram_quantile",
        "buckets",
        "histogram_quantile(0.5, none)",
        "histogram_quantile(0.5, sum(latency_bucket))",
        "histogram_quantile(scalar(sum(latency_bucket{kind='empty'})), latency_bucket)",
        "histogram_quantile(0.5, -latency_bucket)",
        'histogram_quantile(0.5, {__name__="latency_bucket", kind="good"} or latency_bucket)',
    )
    for lower, upper in (
        ("0", "1"),
        ("0.1", "0.5"),
        ("-Inf", "Inf"),
        ("0.05", "0.3"),
        ("1", "0"),
        ("NaN", "1"),
        ("-3", "1"),
        ("2", "Inf"),
        ("-100", "-2"),
        ("0", "0"),
    ):
        yield from both(
            "histogram_fraction",
            "buckets",
            f"histogram_fraction({lower}, {upper}, latency_bucket)",
            f"histogram_fraction({lower}, {upper}, rate(latency_bucket[2m]))",
        )


def label_functions() -> Iterator[Case]:
    yield from both(
        "label_replace",
        "joins",
        'label_replace(errors, "x", "$1", "job", "(.*)")',
        'label_replace(errors, "x", "$1-$2", "job", "(.)(.*)")',
        'label_replace(errors, "job", "", "job", ".*")',
        'label_replace(errors, "x", "v", "none", "")',
        'label_replace(errors, "x", "v", "none", ".+")',
        'label_replace(errors, "instance", "same", "job", "api")',
        'label_replace(errors, "x", "${1}y$$", "job", "(a).*")',
        'label_replace(errors, "x", "$name", "job", "(?P<name>a.)i")',
        'label_replace(errors, "x", "$9", "job", "(a).*")',
        'label_replace(errors, "__name__", "other", "job", "api")',
        'label_replace(errors, "", "v", "job", "api")',
        'label_replace(errors, "x", "v", "job", "ap")',
        'label_replace(-errors, "__name__", "neg", "", "")',
        'label_replace(left, "k", "1", "k", ".*")',
        'label_replace(errors, "über", "$1", "job", "(.*)")',
        'label_replace(rate(errors[5m]), "dst", "$1x", "code", "(5).*")',
        'label_replace(vector(1), "a", "b", "", "")',
        'label_replace(errors, "x", "$1x", "job", "(.*)")',
        'label_replace(errors, "x", "$", "job", "(.*)")',
        'label_replace(errors, "x", "a$-b", "job", "(.*)")',
        'label_replace({__name__=~"twin_."}, "__name__", "t", "", "")',
        'label_replace(errors, "x", "$1", "job", "(a)?.*")',
        'label_replace(errors, "x", "$1|$2|$3", "instance", "(a|ab)(c|bcd)?(d*)")',
    )
    yield from both(
        "label_join",
        "joins",
        'label_join(errors, "x", "-", "job", "instance")',
        'label_join(errors, "x", "", "job")',
        'label_join(errors, "x", "-")',
        'label_join(errors, "job", "-", "job", "code")',
        'label_join(errors, "x", ",", "none", "job", "none")',
        'label_join(errors, "instance", "", "none")',
        'label_join(errors, "", "-", "job")',
        'label_join(errors, "x", "-", "")',
        'label_join(left, "k", "-", "none")',
        'label_join(errors, "__name__", "_", "job", "code")',
        'label_join(rate(errors[5m]), "x", "::", "job", "code")',
        'label_join({__name__=~"twin_."}, "__name__", "", "job")',
    )


def sorts() -> Iterator[Case]:
    for name in ("sort", "sort_desc"):
        yield from both(
            name,
            "counters",
            f"{name}(requests_total)",
            f"{name}(sum by (job, code) (requests_total))",
            f"{name}(rate(requests_total[2m]))",
        )
        yield from both(
            name,
            "gauges",
            f"{name}(gauge)",
            f"{name}(smooth)",
            f"{name}(none)",
            f"{name}(-gauge)",
            f"{name}(abs(gauge))",
            f"{name}(gauge > 3)",
        )
    yield from both(
        "timestamp",
        "edges",
        "timestamp(edge)",
        "timestamp(edge offset 1m)",
        "timestamp(-edge)",
        "timestamp((edge))",
        "timestamp(timestamp(edge))",
        "time() - timestamp(edge)",
        "timestamp(sum(edge))",
        "timestamp(none)",
        "timestamp(vector(1))",
        "timestamp({__name__=~'edge|dawn'})",
    )
