"""What can be wrong with a query, its evaluation or a dump; each knows the HTTP API's word for it."""

from typing import ClassVar

from runner.errors import RunnerError


class PromQLError(RunnerError):
    """A query has no answer; *error_type* is the Prometheus HTTP API's `errorType`."""

    error_type: ClassVar[str] = "execution"


class QuerySyntaxError(PromQLError):
    """The text is not PromQL; *offset* counts the characters before the place where it goes wrong."""

    error_type = "bad_data"

    def __init__(self, message: str, *, offset: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


class RefusedError(PromQLError):
    """Prometheus may know this, the evaluator does not guess; *feature* is its name in PromQL."""

    error_type = "bad_data"

    def __init__(self, message: str, *, feature: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.feature = feature


class ParameterError(PromQLError):
    """Times, steps or the kind of expression make no sense together."""

    error_type = "bad_data"


class EvaluationError(PromQLError):
    """The data do not suit the expression: duplicates, many-to-many matching, wrong parameters."""


class LimitError(PromQLError):
    """The query would do more work than is allowed."""


class DumpError(PromQLError):
    """A line of an OpenMetrics dump cannot be read; lines count from 1."""

    error_type = "bad_data"

    def __init__(self, message: str, *, line: int, hint: str | None = None) -> None:
        super().__init__(f"line {line}: {message}", hint=hint)
        self.line = line
