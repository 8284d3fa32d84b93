"""What the spool asks of a disk: files that are whole when a call returns, and names that change all at once."""

import errno
import os
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a disk without room says."""


class Disk:
    """A folder's disk. Tests put one in its place that loses its power."""

    def write(self, path: Path, data: bytes) -> None:
        """Write a new file, and wait until its bytes are on the disk."""
        with path.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name, in place of whatever had it; certain only after `sync`."""
        path.replace(to)

    def remove(self, path: Path) -> None:
        """Delete a file, if it is there; certain only after `sync`."""
        path.unlink(missing_ok=True)

    def sync(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
