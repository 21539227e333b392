"""Output files that are complete or absent: written beside their final names, and renamed once all is well."""

import os
import stat
from collections.abc import Generator, Hashable
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import copymode
from typing import Final

from statsig_segment.cli.blocks import STANDARD_INPUT


class UnusableError(Exception):
    """A problem with arguments, files or output that ends the run."""


def reason(error: Exception) -> str:
    """Return why a file cannot be used, without its name."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


@contextmanager
def naming(name: str) -> Generator[None]:
    """Turn an error of the system into one that names the file."""
    try:
        yield
    except OSError as error:
        raise UnusableError(f"{name}: {reason(error)}") from None


def identity(file: str | int) -> Hashable:
    """Return the identity of a file, which all its names and descriptors share, and no other file has.

    A device, such as the null device, may be used many times, so its identity is `None`.
    """
    try:
        status = os.stat(file)  # noqa: PTH116 - of a descriptor, too
    except OSError:
        return os.path.realpath(file) if isinstance(file, str) else None
    return None if stat.S_ISCHR(status.st_mode) else (status.st_dev, status.st_ino)


class Output:
    """One output file."""

    def __init__(self, name: str) -> None:
        """Open it, or a file beside it: nothing is emptied yet."""
        self.name = name
        self.records = 0
        self._size = 0
        self._target = Path(os.path.realpath(name))
        self._beside: Path | None = None
        with naming(name):
            is_there = self._target.exists()
            if self._target.is_dir():
                raise OSError("is a directory")
            if is_there and not self._target.is_file():  # a device or a pipe
                self._file = self._target.open("wb")
                return
            if is_there and not os.access(self._target, os.W_OK):
                raise OSError("not allowed to write it")
            beside = self._target.with_name(f".{self._target.name[:50]}.{token_hex(4)}.part")
            self._file = beside.open("xb")
            self._beside = beside
            if is_there:
                with suppress(OSError):
                    copymode(self._target, beside)

    def write(self, text: bytes, records: int) -> None:
        """Write a number of records; raise `UnusableError` if that fails."""
        with naming(self.name):
            self._file.write(text)
        self._size += len(text)
        self.records += records

    def finish(self) -> None:
        """Flush the file and check its size; raise `UnusableError` if it is not complete."""
        size = self._size
        with naming(self.name):
            self._file.flush()
            if self._beside is not None:
                os.fsync(self._file.fileno())
                size = self._beside.stat().st_size
            self._file.close()
        if size != self._size:
            raise UnusableError(f"{self.name}: {size:,} bytes instead of {self._size:,}")

    def put_in_place(self) -> None:
        """Move the file to its final name."""
        if self._beside is not None:
            with naming(self.name):
                self._beside.replace(self._target)
            self._beside = None

    def discard(self) -> None:
        """Remove the unfinished file, unless it is already in place."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            if self._beside is not None:
                self._beside.unlink()


class Outputs(dict[str, Output]):
    """All output files of a run, by the options that name them."""

    def __init__(self, taken: dict[Hashable, str]) -> None:
        """Start without outputs; `taken` names the files that may not become one, by their identity."""
        super().__init__()
        self._taken: Final = taken

    def open(self, **names: str | None) -> None:
        """Open files to write to, as far as they are named; raise `UnusableError` if one is in use already."""
        named = {option: name for option, name in names.items() if name is not None}
        for option, name in named.items():
            words = f"--{option.replace('_', '-')}"
            if name in {STANDARD_INPUT, ""}:
                raise UnusableError(f"{words}: expected the name of a file, not {name!r}")
            file = identity(name)
            if file in self._taken:
                raise UnusableError(f"{words} {name}: the same file as {self._taken[file]}")
            if file is not None:
                self._taken[file] = words
        for option, name in named.items():
            self[option] = Output(name)

    def write(self, option: str, text: bytes, records: int = 1) -> None:
        """Write a number of records to an output, if that was asked for."""
        if option in self and text:
            self[option].write(text, records)

    def put_in_place(self, **records: int | None) -> None:
        """Move all files in place, once each is complete and holds as many records as were counted."""
        for option, output in self.items():
            counted = records.get(option)
            if counted not in {None, output.records}:
                raise UnusableError(f"{output.name}: {output.records} records instead of {counted}")
            output.finish()
        for output in self.values():
            output.put_in_place()

    def discard(self) -> None:
        """Remove all unfinished files that are not in place."""
        for output in self.values():
            output.discard()
