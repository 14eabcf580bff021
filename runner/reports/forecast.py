"""A forecast as tables and as plain JSON: what each gate can see, and what a bad canary costs."""

from collections.abc import Mapping
from typing import Any

from runner.engine.forecast import Exposure, Forecast, Gate
from runner.engine.judged import percent
from runner.reports.figures import duration
from runner.reports.tables import Row, Table

DIGITS = 6  # a forecast is no more exact than that


def gates(forecast: Forecast) -> Table:
    """What each gate can see."""
    head = ("gate", "requests a look", "rejects from", "shows its bound after", "note")
    return Table("What each gate can see", head, tuple(_sees(gate) for gate in forecast.gates))


def _sees(gate: Gate) -> Row:
    title = f"guard {gate.check} in {gate.stage!r}" if gate.guard else f"{gate.check} at {gate.stage!r}"
    sees = "-" if gate.sees is None else percent(gate.sees)
    soak = "-" if gate.soak is None else duration(gate.soak)
    return title, f"{gate.requests:,.0f}", sees, soak, gate.note


def exposures(forecast: Forecast) -> Table:
    """What a canary that fails everything costs."""
    head = ("from", "canary", "expected", "at worst", "stopped after", "at the latest")
    rows = [_exposure(exposure) for exposure in forecast.exposures]
    if rows:
        rows.append(("in all", "", _requests(forecast.expected), _requests(forecast.worst), "", ""))
    return Table("Requests that fail if the canary fails them all", head, tuple(rows))


def _exposure(exposure: Exposure) -> Row:
    expected, worst = (_after(seconds) for seconds in exposure.seconds)
    return (
        exposure.stage,
        f"{exposure.share} %",
        _requests(exposure.expected),
        _requests(exposure.worst),
        expected,
        worst,
    )


def _requests(count: float | None) -> str:
    return "no limit" if count is None else f"{count:,.0f}"


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else duration(seconds)


def ends(forecast: Forecast) -> str:
    """When a run can end, and what the forecast assumes."""
    whole, assumed = forecast.whole, forecast.assumed
    traffic = ", ".join(f"{rate:g}/s to {route}" for route, rate in assumed.traffic.items())
    return (
        f"ends after {duration(whole.best)} at the earliest, {duration(whole.worst)} at the latest; assumed: "
        f"{traffic or 'no traffic'}, stable fails {percent(assumed.base)}, "
        f"a scrape every {duration(assumed.scrape)}; "
        "rejects from: the canary's error rate that is rejected with 80 % power"
    )


def forecast_document(forecast: Forecast) -> Mapping[str, Any]:
    """The forecast as plain JSON; times are seconds after the start."""
    return {
        "assumed": {
            "traffic": dict(forecast.assumed.traffic),
            "base": forecast.assumed.base,
            "scrape": forecast.assumed.scrape,
        },
        "gates": [_gate(gate) for gate in forecast.gates],
        "exposures": [_exposed(exposure) for exposure in forecast.exposures],
        "expected": rounded(forecast.expected),
        "worst": rounded(forecast.worst),
        "earliestEnd": rounded(forecast.whole.best),
        "latestEnd": rounded(forecast.whole.worst),
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "stage": gate.stage,
        "check": gate.check,
        "guard": gate.guard,
        "requests": rounded(gate.requests),
        "enough": gate.enough,
        "sees": rounded(gate.sees),
        "soak": rounded(gate.soak),
        "note": gate.note,
    }


def _exposed(exposure: Exposure) -> dict[str, Any]:
    return {
        "stage": exposure.stage,
        "share": exposure.share,
        "expected": rounded(exposure.expected),
        "worst": rounded(exposure.worst),
        "secondsExpected": rounded(exposure.seconds[0]),
        "secondsWorst": rounded(exposure.seconds[1]),
    }


def rounded(value: float | None) -> float | None:
    """*value* without the digits that nobody can know."""
    return None if value is None else round(value, DIGITS)
