"""What a worker gives up before it reads a codec: network, files, other processes, memory, outliving its parent.

Each is given up as far as the system lets it: a codec has no function that reaches anything in the first place, so this
is the second wall. It holds on Linux; elsewhere only the resource limits do.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

NOBODY = 65_534
_CLONE_NEWNET = 0x4000_0000
_CLONE_NEWUSER = 0x1000_0000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def confine(room_bytes: int, parent: int) -> None:
    """Give up what this process does not need.

    Args:
        room_bytes: address space that may still be taken beyond what is taken now.
        parent: the process that must not be outlived.
    """
    os.closerange(3, _descriptors_max())
    taken = _address_space()
    if sys.platform == "linux":
        _leave(parent)
    limits = {"CORE": 0, "FSIZE": 0, "NOFILE": 3}
    if taken is not None:
        limits["AS"] = taken + room_bytes
    for name, most in limits.items():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def no_processes() -> None:
    """Give up starting others."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _leave(parent: int) -> None:
    """Leave the network, the superuser's rights, and life without the parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    is_root = os.geteuid() == 0
    libc.unshare(_CLONE_NEWNET if is_root else _CLONE_NEWUSER | _CLONE_NEWNET)
    if is_root:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of user would take it back
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(0)


def _descriptors_max() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 65_536 if soft == resource.RLIM_INFINITY else min(soft, 65_536)


def _address_space() -> int | None:
    """Bytes of address space taken now; `None` where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None
