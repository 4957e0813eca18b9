"""Choosing a TCP port on the loopback address."""

import socket

from lamplighter.errors import Failure

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on at this moment, chosen by the operating system."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def may_listen(port: int, host: str = LOOPBACK) -> bool:
    """False if the operating system keeps the port from this user, whoever listens there."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except PermissionError:
            return False
        except OSError:
            return True
    return True


def choose_port(wanted: int | None, default: int, option: str, taken: frozenset[int] = frozenset()) -> int:
    """The port to listen on.

    Args:
        wanted: what the user said with `option`; 0 means any free one; None means that nothing was said, and
            the first free port from `default` upwards is taken.
        default: the usual port of this service.
        option: the name of the option, for the error's sentence.
        taken: ports that are spoken for though nothing listens there yet.

    Raises:
        Failure: the port was asked for explicitly and is busy, or none is free.
    """
    if wanted == 0:
        return free_port()
    if wanted is not None:
        if not may_listen(wanted):
            raise Failure(f"Port {wanted} is for the administrator: name one above 1023 with {option}.")
        if wanted in taken or not is_free(wanted):
            raise Failure(f"Port {wanted} is busy: name another with {option}, or 0 for any free one.")
        return wanted
    for port in range(default, min(default + 1000, 65536)):
        if port not in taken and is_free(port):
            return port
    raise Failure(f"No port from {default} upwards is free: name one with {option}.")
