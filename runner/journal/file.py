"""The state file on a disk: created whole, appended durably, one writer at a time."""

import errno
import json
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from runner import private
from runner.collecting import collecting_later
from runner.engine.events import Event, RunStarted
from runner.errors import DisagreementError, LockedError, RunnerError
from runner.foreign import json_of
from runner.journal.codec import Link, OtherFormatError, decode, encoded_from

WITHOUT = (
    "nothing was touched; the safe split is in the `runner/run` annotation of the VirtualService:"
    " `runner rollback --route ROUTE -n NAMESPACE` goes back without this file"
)
ELSEWHERE = " or choose another place with `--state FILE`"
ELSE = " and `runner resume`, or go back without this file: `runner rollback --route ROUTE -n NAMESPACE`"


@dataclass(frozen=True, slots=True)
class Record:
    """A journal as read: its events, where it goes on, and how many of its bytes check."""

    path: Path
    run: str
    events: tuple[Event, ...]
    link: Link
    size: int

    @property
    def started(self) -> RunStarted:
        """The first event, which holds all that the run needs."""
        first = self.events[0]
        assert isinstance(first, RunStarted)  # noqa: S101 - `read` refuses any other first line
        return first


class DamagedError(DisagreementError):
    """A record that does not check at *line*, counted from 1."""

    def __init__(self, line: int, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.line = line


def read(path: Path) -> Record:
    """The record in *path*. DisagreementError where a line does not check; RunnerError where it cannot be read."""
    try:
        return _record(path, read_bytes(path))
    except FileNotFoundError as error:
        raise _missing(path) from error
    except OSError as error:
        raise RunnerError(f"the state file {path} cannot be read: {error.strerror}", hint=WITHOUT) from error


def read_bytes(path: Path) -> bytes:
    """All of a regular file: a pipe or a device in its place must not be waited for. OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return private.read_all(descriptor)
    finally:
        os.close(descriptor)


def _record(path: Path, data: bytes) -> Record:
    whole, torn = data[: data.rfind(b"\n") + 1], data[data.rfind(b"\n") + 1 :]
    events, link = decoded(path, whole)
    if _was_whole(torn, link):
        raise _damaged(path, len(events) + 1, DisagreementError("its end is not what was written"))
    return Record(path, link.run, events, link, len(whole))


# A command that finds a run, looks at it and takes it up reads the same bytes three times.
@lru_cache(maxsize=1)
def decoded(path: Path, data: bytes) -> tuple[tuple[Event, ...], Link]:
    """The events of whole lines, each checked against the one before. DisagreementError names the first that is not."""
    events: list[Event] = []
    link: Link | None = None
    with collecting_later():
        for number, line in enumerate(data.splitlines(), start=1):
            try:
                event, link = decode(line.decode(), link)
            except OtherFormatError as error:
                raise _newer(path, number, error) from error
            except (DisagreementError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise _damaged(path, number, error) from error
            events.append(event)
    if link is None or not isinstance(events[0], RunStarted) or link.seq != len(events) + 1:
        raise _damaged(path, 1, DisagreementError("it is not the first line of a run"))
    return tuple(events), link


def _missing(path: Path) -> RunnerError:
    return RunnerError(f"there is no state file {path}", hint="`runner runs` lists the runs it can find")


def _was_whole(torn: bytes, link: Link) -> bool:
    """A whole line with something else in place of its newline: no torn write leaves that."""
    try:
        decode(torn[:-1].decode(), link)
    except (DisagreementError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _newer(path: Path, number: int, error: OtherFormatError) -> DamagedError:
    return DamagedError(
        number,
        f"{path}:{number}: another version of runner wrote this state file: {error.message}",
        hint="nothing was touched; use the runner that wrote it",
    )


def _damaged(path: Path, number: int, error: Exception) -> DamagedError:
    what = error.message if isinstance(error, DisagreementError) else "it is not a line of a state file"
    return DamagedError(
        number,
        f"{path}:{number}: the state file is damaged, or is none: {what}",
        hint=WITHOUT,
    )


class JournalFile:
    """Appends events to one state file; a failed write poisons it, since what is on the disk is unknown.

    Before each step it looks whether its path still names what it writes: what is deleted, replaced or changed
    under a run would not be there to resume from, so nothing more is done.
    """

    def __init__(self, path: Path, lock: FileLock, descriptor: int, link: Link) -> None:
        self._path, self._lock, self._descriptor, self._link = path, lock, descriptor, link
        self._broken: OSError | None = None
        self._size = os.fstat(descriptor).st_size

    @property
    def path(self) -> Path:
        """Where the journal lies."""
        return self._path

    @property
    def run(self) -> str:
        """The run it records."""
        return self._link.run

    @staticmethod
    def claim(path: Path) -> FileLock:
        """The lock of a state file that is about to be made, and of what lies beside it."""
        _make_folder(path.parent)
        return _locked(path)

    @staticmethod
    def disclaim(path: Path, lock: FileLock) -> None:
        """Give the lock back, and leave nothing of it: who waits for an unlinked lock notices, and makes another."""
        for suffix in (".holder", ".lock"):
            with suppress(OSError):
                Path(f"{path}{suffix}").unlink()
        lock.release()

    @classmethod
    def create(
        cls,
        path: Path,
        run: str,
        first: RunStarted,
        lock: FileLock | None = None,
        *,
        then: Sequence[Event] = (),
    ) -> tuple["JournalFile", str]:
        """A new state file, which appears only together with its whole first line and what is to stand behind it.

        The first line is returned too; *lock* where it was claimed.
        """
        lock = lock or cls.claim(path)
        lines, link = encoded_from(Link(run), (first, *then))
        with _released_in_trouble(path, lock):
            return cls(path, lock, _appear(path, lines), link), lines[0]

    @classmethod
    def resume(cls, path: Path) -> tuple["JournalFile", Record]:
        """The state file as it stands, its torn last line cut, locked for going on."""
        if not path.exists():
            raise _missing(path)
        lock = _locked(path)
        with _released_in_trouble(path, lock, begun=True), ExitStack() as opened:
            descriptor = private.open_file(path, os.O_RDWR | os.O_APPEND)
            opened.callback(os.close, descriptor)
            record = _record(path, private.read_all(descriptor))
            os.ftruncate(descriptor, record.size)
            opened.pop_all()
        return cls(path, lock, descriptor, record.link), record

    def append(self, events: Sequence[Event]) -> list[str]:
        """Write *events* with one synchronisation; RunnerError when the disk does not take them."""
        if self._broken is not None:
            raise _unwritable(self._path, self._broken, begun=True)
        self._is_still_there()
        lines, self._link = encoded_from(self._link, events)
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            _write_all(self._descriptor, data)
            os.fdatasync(self._descriptor)
            self._size += len(data)
        except OSError as error:
            # A second fsync may say yes to pages that the first one lost, so there is none.
            self._broken = error
            raise _unwritable(self._path, error, begun=True) from error
        return lines

    def news(self) -> tuple[tuple[Event, str], ...]:
        """Nothing: nobody else writes while this is open."""
        return ()

    def _is_still_there(self) -> None:
        own = os.fstat(self._descriptor)
        try:
            named = self._path.stat()
        except OSError as error:
            raise _taken_away(self._path, f"is gone: {error.strerror}") from error
        if not os.path.samestat(own, named):
            raise _taken_away(self._path, "is another file by now")
        if own.st_size != self._size:
            raise _taken_away(self._path, "was changed by somebody else")

    def close(self) -> None:
        """Let others write; everything was forced to the disk before, so no refusal matters any more."""
        with suppress(OSError):
            os.close(self._descriptor)
        with suppress(OSError):
            self._lock.release()


def _taken_away(path: Path, what: str) -> DisagreementError:
    return DisagreementError(
        f"the state file {path}, which this process writes, {what}",
        hint="nothing more was done: put it back and `runner resume`, rebuild it from the object with `runner adopt`,"
        " or go back without it: `runner rollback --route ROUTE -n NAMESPACE`",
    )


def _locked(path: Path) -> FileLock:
    """The lock lies beside the state file and is never renamed, so that it means the same file for ever."""
    lock = FileLock(f"{path}.lock", mode=private.FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        named = shlex.quote(str(path))
        raise LockedError(
            f"{path} is being written by another process{_holder(path)}",
            hint=f"`runner status {named}` shows it; `runner abort {named}` and `runner rollback {named}` reach it",
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    with suppress(OSError, RunnerError):  # no room for a name that only a refusal would show
        _leave_name(path)
    return lock


def _leave_name(path: Path) -> None:
    descriptor = private.open_file(Path(f"{path}.holder"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        _write_all(descriptor, json.dumps({"pid": os.getpid()}).encode())
    finally:
        os.close(descriptor)


@contextmanager
def _released_in_trouble(path: Path, lock: FileLock, *, begun: bool = False) -> Iterator[None]:
    """What cannot be opened is not held either."""
    try:
        yield
    except OSError as error:
        lock.release()
        raise _unwritable(path, error, begun=begun) from error
    except RunnerError:
        lock.release()
        raise


def _holder(path: Path) -> str:
    """Which process, and since when, as it wrote when it had got the lock."""
    name = Path(f"{path}.holder")
    try:
        pid = json_of(read_bytes(name))["pid"]
        since = datetime.fromtimestamp(name.stat().st_mtime, UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f" (pid {pid}, since {since:%Y-%m-%d %H:%M:%S} UTC)"


def is_held(path: Path) -> bool:
    """Whether a living process writes to *path* now."""
    lock = FileLock(f"{path}.lock", mode=private.FILE)
    if not Path(f"{path}.lock").exists():
        return False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    with suppress(OSError):
        lock.release()
    return False


def _make_folder(folder: Path) -> None:
    try:
        private.make_folder(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _appear(path: Path, lines: Sequence[str]) -> int:
    """Whole or not at all, and never over something else: a link fails where a rename would replace.

    The descriptor is that of what was written, whatever somebody may have put into its place since.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with ExitStack() as opened:
        descriptor = private.open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        opened.callback(os.close, descriptor)
        try:
            _write_all(descriptor, "".join(f"{line}\n" for line in lines).encode())
            os.fsync(descriptor)
            os.link(draft, path)
        finally:
            with suppress(OSError):  # the next one clears it away
                draft.unlink()
        try:
            _synchronise(path.parent)
        except OSError:
            path.unlink(missing_ok=True)  # a run that was refused has not begun
            raise
        opened.pop_all()
    return descriptor


def _synchronise(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        with suppress(OSError):  # nothing was written to it
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _unwritable(path: Path, error: OSError, *, begun: bool = False) -> RunnerError:
    return RunnerError(
        f"the state file {path} cannot be written: {error.strerror or error}",
        hint=f"nothing is done that is not recorded first; make room{ELSE if begun else ELSEWHERE}",
    )


def newest_first(folder: Path) -> Iterable[Path]:
    """The state files of *folder*, the most recently written first."""
    files = [path for path in folder.glob("*.jsonl") if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)
