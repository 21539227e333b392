"""Output files that are whole or not there: written beside their names, and put in place when all is well."""

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from statsig_segment.cli.blocks import STANDARD_INPUT


class UnusableError(Exception):
    """Something about arguments, files or output because of which there is nothing more to do."""


def reason(error: Exception) -> str:
    """Say why a file cannot be used, without its name."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


@attrs.frozen
class Taken:
    """A file that no output may be written to, and what it is."""

    what: str
    path: str | None
    """`None` for a standard stream."""
    status: os.stat_result | None

    @classmethod
    def of(cls, what: str, name: str) -> "Taken":
        """Take a name, whether there is a file or not."""
        with suppress(OSError):
            return cls(what, os.path.realpath(name), Path(name).stat())
        return cls(what, os.path.realpath(name), None)

    @classmethod
    def stream(cls, what: str, descriptor: int) -> "Taken":
        """Take the file that a standard stream comes from or goes to."""
        with suppress(OSError):
            return cls(what, None, os.fstat(descriptor))
        return cls(what, None, None)

    def is_same(self, other: "Taken") -> bool:
        """Tell whether both are one file; a device such as the null device may be used many times."""
        if self.status is None or other.status is None:
            return self.path is not None and self.path == other.path
        return os.path.samestat(self.status, other.status) and not stat.S_ISCHR(self.status.st_mode)


class Output:
    """One output file."""

    def __init__(self, name: str) -> None:
        """Open it, or a file beside it: nothing is emptied yet."""
        self.name = name
        self.records = 0
        self._size = 0
        self._target = Path(os.path.realpath(name))
        self._beside: Path | None = None
        try:
            self._file = self._opened()
        except OSError as error:
            raise self._failure(error) from None

    def _opened(self) -> BinaryIO:
        if self._target.is_dir():
            raise OSError("is a directory")
        if self._target.exists() and not self._target.is_file():  # a device or a pipe
            return self._target.open("wb")
        if self._target.exists() and not os.access(self._target, os.W_OK):
            raise OSError("not allowed to write it")
        descriptor, path = tempfile.mkstemp(".part", f".{self._target.name[:50]}.", self._target.parent)
        self._beside = Path(path)
        with suppress(OSError):
            self._beside.chmod(self._mode())
        return os.fdopen(descriptor, "wb")

    def _mode(self) -> int:
        """Give the permissions of the file that is there, else those that a new one would get."""
        if self._target.exists():
            return stat.S_IMODE(self._target.stat().st_mode)
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def write(self, text: bytes, records: int) -> None:
        """Write so many records; `UnusableError` where that fails."""
        try:
            self._file.write(text)
        except OSError as error:
            raise self._failure(error) from None
        self._size += len(text)
        self.records += records

    def finish(self) -> None:
        """Write all that is left, and see whether it is there; `UnusableError` where it is not."""
        try:
            self._file.flush()
            if self._beside is not None:
                os.fsync(self._file.fileno())
            self._file.close()
            size = self._size if self._beside is None else self._beside.stat().st_size
        except OSError as error:
            raise self._failure(error) from None
        if size != self._size:
            raise UnusableError(f"{self.name}: {size:,} bytes in place of {self._size:,}")

    def put_in_place(self) -> None:
        """Give the file its name."""
        if self._beside is not None:
            try:
                self._beside.replace(self._target)
            except OSError as error:
                raise self._failure(error) from None
            self._beside = None

    def discard(self) -> None:
        """Leave no trace, unless the file is in place."""
        with suppress(OSError):
            self._file.close()
        if self._beside is not None:
            with suppress(OSError):
                self._beside.unlink()

    def _failure(self, error: OSError) -> UnusableError:
        return UnusableError(f"{self.name}: {reason(error)}")


class Outputs:
    """All output files of a run, by the options that name them."""

    def __init__(self, taken: Iterable[Taken]) -> None:
        """Begin with none; none may be one of the files taken."""
        self._taken: Final = list(taken)
        self._outputs: dict[str, Output] = {}

    def open(self, **names: str | None) -> None:
        """Open files to write to, as far as they are named; `UnusableError` where one is in use already."""
        for option, name in names.items():
            if name is not None:
                self._check(option.replace("_", "-"), name)
        for option, name in names.items():
            if name is not None:
                self._outputs[option] = Output(name)

    def _check(self, option: str, name: str) -> None:
        if name in {STANDARD_INPUT, ""}:
            raise UnusableError(f"--{option}: expected the name of a file, not {name!r}")
        new = Taken.of(f"--{option}", name)
        for other in self._taken:
            if new.is_same(other):
                raise UnusableError(f"--{option} {name}: the same file as {other.what}")
        self._taken.append(new)

    def __len__(self) -> int:
        return len(self._outputs)

    def __contains__(self, option: str) -> bool:
        return option in self._outputs

    def write(self, option: str, text: bytes, records: int = 1) -> None:
        """Write so many records to an output, if it is asked for."""
        if option in self._outputs and text:
            self._outputs[option].write(text, records)

    def put_in_place(self, **records: int | None) -> None:
        """Put all in place, once each is whole and holds as many records as were counted."""
        for option, output in self._outputs.items():
            counted = records.get(option)
            if counted not in {None, output.records}:
                raise UnusableError(f"{output.name}: {output.records} records in place of {counted}")
            output.finish()
        for output in self._outputs.values():
            output.put_in_place()

    def discard(self) -> None:
        """Leave no trace of what is not in place."""
        for output in self._outputs.values():
            output.discard()
