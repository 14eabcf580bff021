"""What can go wrong, in words for people, and the exit code that each ends with."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from runner.secrecy import hide


class ExitCode(IntEnum):
    """The promise to scripts; see docs/reference/exit-codes.md."""

    OK = 0
    ERROR = 1
    USAGE = 2
    REJECTED = 3
    ROLLBACK_FAILED = 4
    PAUSED = 5
    LOCKED = 6
    DISAGREEMENT = 7
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class Severity(StrEnum):
    """How bad a diagnostic is; warnings alone exit 0."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, *end_column* is exclusive and on the same line."""

    file: str
    line: int = 1
    column: int = 1
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong with a document: a stable code, a place, what was found, one thing to try."""

    code: str
    message: str
    location: Location
    severity: Severity = Severity.ERROR
    hint: str | None = None
    source: str | None = None


class RunnerError(Exception):
    """Anything a person is told without a traceback; *hint* is the one thing to try.

    Its words may be a server's, so secrets leave them here, before anybody shortens them.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = hide(message)
        self.hint = None if hint is None else hide(hint)
        super().__init__(self.message)


class UsageError(RunnerError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class InvalidDocumentError(RunnerError):
    """A document cannot be used; every diagnostic at once, in file order."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"{len(diagnostics)} things are wrong")
        self.diagnostics = diagnostics


class LockedError(RunnerError):
    """Another run holds what this one wants."""

    exit_code = ExitCode.LOCKED


class DisagreementError(RunnerError):
    """Record and world disagree: drift, a damaged or foreign state file, an outdated plan."""

    exit_code = ExitCode.DISAGREEMENT


class RollbackUnverifiedError(RunnerError):
    """The way back broke off, or could not be proved: traffic is not known to be at the safe split."""

    exit_code = ExitCode.ROLLBACK_FAILED


class TransientError(RunnerError):
    """The other side did not answer usefully; asking again may help. Nothing was changed.

    *retry_after* is how many seconds the other side asks to be left alone, where it said so.
    """

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class UnknownOutcomeError(TransientError):
    """A write was sent and no answer came: it may have happened. Read before writing again."""


class ConflictError(RunnerError):
    """A conditional write found a newer object. Read, compare, and decide again."""


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that another manager owns: its name, the operation it wrote with, and the field's path."""

    manager: str
    operation: str
    field: str


class ApplyConflictError(RunnerError):
    """Server-side apply met fields that others own."""

    def __init__(self, message: str, conflicts: tuple[FieldConflict, ...]) -> None:
        super().__init__(message)
        self.conflicts = conflicts


class StageFailure(RunnerError):  # noqa: N818 - it is a judgement of a stage, not an error of the program
    """The stage failed by its own judgement: `onFailure` decides what follows."""
