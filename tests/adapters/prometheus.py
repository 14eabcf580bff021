"""What a Prometheus answers, and a clock that agrees with it."""

from tests.adapters.loopback import Reply, says

NOW = 1_800_000_000.0


class Noon:
    """A clock that stands still."""

    def now(self) -> float:
        return NOW

    def sleep_until(self, until: float) -> None:
        raise AssertionError("nobody waits here")


def vector(*values: tuple[dict[str, str], str], **more: object) -> Reply:
    result = [{"metric": labels, "value": [NOW, value]} for labels, value in values]
    return says(200, {"status": "success", "data": {"resultType": "vector", "result": result}} | more)
