"""The functions and aggregations of Prometheus 3 by name: evaluated, or refused with the reason."""

ELEMENTWISE = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "ceil",
        "cos",
        "cosh",
        "deg",
        "exp",
        "floor",
        "ln",
        "log10",
        "log2",
        "rad",
        "sgn",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
    ]
)
"""One float in, one float out."""

CALENDAR = frozenset(
    ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
)

OVER_TIME = frozenset(
    [
        "avg_over_time",
        "changes",
        "count_over_time",
        "delta",
        "deriv",
        "first_over_time",
        "idelta",
        "increase",
        "irate",
        "last_over_time",
        "max_over_time",
        "min_over_time",
        "predict_linear",
        "present_over_time",
        "quantile_over_time",
        "rate",
        "resets",
        "stddev_over_time",
        "stdvar_over_time",
        "sum_over_time",
    ]
)
"""A window of one series in, at most one float out."""

NAME_KEEPING = frozenset({"last_over_time", "first_over_time"})

SCALAR_FUNCTIONS = frozenset({"pi", "scalar", "time"})

OTHERS = frozenset(
    [
        "absent",
        "absent_over_time",
        "clamp",
        "clamp_max",
        "clamp_min",
        "histogram_fraction",
        "histogram_quantile",
        "label_join",
        "label_replace",
        "round",
        "sort",
        "sort_desc",
        "timestamp",
        "vector",
    ]
)

SUPPORTED = ELEMENTWISE | CALENDAR | OVER_TIME | SCALAR_FUNCTIONS | OTHERS

AGGREGATIONS = frozenset(
    [
        "avg",
        "bottomk",
        "count",
        "count_values",
        "group",
        "max",
        "min",
        "quantile",
        "stddev",
        "stdvar",
        "sum",
        "topk",
    ]
)

_EXPERIMENTAL = "it is experimental in Prometheus"
_NATIVE = "it reads native histograms, which are not supported"

REFUSED = {
    **dict.fromkeys(
        [
            "double_exponential_smoothing",
            "end",
            "histogram_quantiles",
            "info",
            "integral",
            "mad_over_time",
            "max_of",
            "min_of",
            "range",
            "sort_by_label",
            "sort_by_label_desc",
            "start",
            "start_timestamp",
            "step",
            "ts_of_first_over_time",
            "ts_of_last_over_time",
            "ts_of_max_over_time",
            "ts_of_min_over_time",
            "limitk",
            "limit_ratio",
        ],
        _EXPERIMENTAL,
    ),
    **dict.fromkeys(
        ["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"], _NATIVE
    ),
    "holt_winters": "Prometheus 3 renamed it to double_exponential_smoothing, which is experimental",
}
