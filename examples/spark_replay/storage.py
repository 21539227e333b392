"""Folders on any file system that Spark uses: every file of an archive, and results that replace earlier ones whole.

Spark passes over some files without a word, because their name, or that of a folder, begins with `_` or `.`. The walk
here is our own and passes over nothing but empty files, so that the job can name what Spark left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INCOMPLETE: Final = "incomplete"
PREVIOUS: Final = "previous"


@attrs.frozen
class Storage:
    """The file systems that Spark reaches, by way of Hadoop's classes in Spark's Java process."""

    _java: Any
    _configuration: Any

    @classmethod
    def of(cls, spark: SparkSession) -> Storage:
        """Use the settings of a session."""
        context: Any = spark.sparkContext
        return cls(context._jvm, context._jsc.hadoopConfiguration())  # noqa: SLF001 - PySpark has no public way to Hadoop

    def files(self, pattern: str) -> set[str]:
        """Give every file that matches a pattern, or lies at any depth below a folder that does; not the empty ones."""
        path = self._path(pattern)
        system = self._system(path)
        return {address for found in system.globStatus(path) or () for address in _files(system, found)}

    def is_within(self, folder: str, pattern: str) -> bool:
        """Say whether a folder is, or lies below, one that matches a pattern."""
        path, inner = self._path(pattern), self._path(folder)
        inner = self._system(inner).makeQualified(inner).toString()
        roots = (found.getPath().toString() for found in self._system(path).globStatus(path) or ())
        return any(inner == root or inner.startswith(f"{root.rstrip('/')}/") for root in roots)

    def exists(self, name: str) -> bool:
        """Say whether there is a file or a folder of this name."""
        path = self._path(name)
        return bool(self._system(path).exists(path))

    def names(self, folder: str) -> list[str]:
        """List the names in a folder; a folder that does not exist has none."""
        path = self._path(folder)
        found = self._system(path).listStatus(path) if self.exists(folder) else ()
        return [one.getPath().getName() for one in found]

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that it holds, if it exists."""
        path = self._path(name)
        self._system(path).delete(path, True)  # noqa: FBT003 - Java has no keywords

    def move(self, name: str, folder: str) -> None:
        """Move a file or a folder into a folder, which is made if it does not exist; nothing is overwritten."""
        path, into = self._path(name), self._path(folder)
        system = self._system(path)
        target = self._path(f"{folder}/{path.getName()}")
        system.mkdirs(into)
        if system.exists(target) or not system.rename(path, target):
            raise OSError(f"cannot move {name} into {folder}")

    def _path(self, name: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(name)

    def _system(self, path: Any) -> Any:
        system = path.getFileSystem(self._configuration)
        return system.getRaw() if system.getScheme() == "file" else system  # the other one hides checksum files


def _files(system: Any, found: Any) -> Iterator[str]:
    if found.isDirectory():
        for inner in system.listStatus(found.getPath()):
            yield from _files(system, inner)
    elif found.getLen():
        yield found.getPath().toString()


@attrs.frozen
class Results:
    """A folder of results: new ones are written to `staging`, and replace the earlier ones only when they are whole."""

    storage: Storage
    folder: str

    @property
    def staging(self) -> str:
        """The folder for new results, which keeps those that are not whole."""
        return f"{self.folder}/{INCOMPLETE}"

    @property
    def _previous(self) -> str:
        return f"{self.folder}/{PREVIOUS}"

    def begin(self) -> None:
        """Undo a replacement that was interrupted, and forget results that never became whole."""
        for name in self.storage.names(self._previous):
            self.storage.remove(f"{self.folder}/{name}")
            self.storage.move(f"{self._previous}/{name}", self.folder)
        self.storage.remove(self._previous)
        self.storage.remove(self.staging)

    def replace(self) -> None:
        """Put everything in `staging` in the place of the earlier results."""
        names = self.storage.names(self.staging)
        for name in names:
            if self.storage.exists(f"{self.folder}/{name}"):
                self.storage.move(f"{self.folder}/{name}", self._previous)
        for name in names:
            self.storage.move(f"{self.staging}/{name}", self.folder)
        self.storage.remove(self._previous)
        self.storage.remove(self.staging)
