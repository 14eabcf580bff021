"""What Python itself would print while a command is left."""

from runner.cli.entry import quiet_destructors


class Held:
    """Something whose destructor is interrupted."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __del__(self) -> None:
        raise self.error


def test_an_interrupted_destructor_is_no_news(monkeypatch):
    heard = []
    monkeypatch.setattr("sys.unraisablehook", lambda found: heard.append(found.exc_type))

    with quiet_destructors():
        Held(KeyboardInterrupt)
        Held(ValueError)

    assert heard == [ValueError]
