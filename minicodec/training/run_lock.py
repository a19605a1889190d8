"""Support: a run's folder belongs to one process at a time.

Two that train in one folder would each go on from the other's checkpoints, under one config. The
system keeps the lock and takes it from a process that ends, however it ends; the file that stays
behind means nothing.
"""

import errno
import os
from pathlib import Path
from weakref import WeakValueDictionary, finalize

_NAME = ".lock"
#: What file systems answer that know no locks: then there is none.
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class RunLock:
    """Held as long as the object lives; see `hold`.

    Raises:
        ValueError: if another process holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise ValueError(f"{folder} cannot hold a run: {error.strerror}.") from error
        finalize(self, os.close, handle)
        try:
            _lock(handle)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return
            raise ValueError(
                f"another process is training in {folder}: wait until it ends, or choose another "
                "folder."
            ) from error


#: Of this process. A second one for a folder would, when it is closed, give up the first.
_HELD: WeakValueDictionary[str, RunLock] = WeakValueDictionary()


def hold(folder: Path) -> RunLock:
    """Have a folder for this process, which may ask again; it is made if need be.

    Raises:
        ValueError: as `RunLock`.
    """
    key = os.path.realpath(folder)
    lock = _HELD.get(key)
    if lock is None:
        lock = _HELD[key] = RunLock(folder)
    return lock


def check_free(folder: Path) -> None:
    """Refuse a folder that another process holds or that cannot be written; nothing is made yet.

    Raises:
        ValueError: in one sentence.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ValueError(f"{folder} cannot hold a run: {there} is not a folder.")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{folder} cannot hold a run: {there} cannot be written.")
    if (folder / _NAME).is_file():
        hold(folder)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        # Not flock: processes that read recordings ahead would inherit it and outlive a killed run.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
