"""Ports on the loopback address: free ones, and who holds a taken one."""

import errno
import itertools
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

from routiq.failures import UsageError

LOOPBACK = "127.0.0.1"
_RANGE = range(20_000, 32_000)
_CANDIDATES = itertools.islice(itertools.cycle(_RANGE), secrets.randbelow(len(_RANGE)), None)
"""Every process begins elsewhere, and gives none out twice before it has given out all."""
LISTENING = "0A"  # state in /proc/net/tcp


def free_port() -> int:
    """A port nobody listens on now, below those the kernel gives to connections, which could take it meanwhile."""
    for port in _CANDIDATES:
        if not _hindrance(port):
            return port
    raise UsageError("No port is free on this machine.")


def require_free(ports: Iterable[tuple[str, str, int]]) -> None:
    """`ports` are (what for, the setting that changes it, number); raises with one line for each that cannot be had."""
    problems, first = [], dict[int, str]()
    for name, setting, port in ports:
        if (other := first.setdefault(port, name)) != name:
            problems.append(f"Port {port} is set for both {other} and {name}; set {setting} to another.")
        elif hindrance := _hindrance(port):
            problems.append(f"Port {port} for {name} {hindrance}; set {setting} to another.")
    if problems:
        raise UsageError("\n".join(problems))


def _hindrance(port: int) -> str | None:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        if error.errno == errno.EACCES:
            return "may be used by root only"
        if error.errno == errno.EADDRINUSE:
            return f"is taken{_by(port)}"
        raise
    return None


def _by(port: int) -> str:
    """Who listens there, as far as /proc lets us see."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(descriptor.readlink()) in inodes for descriptor in (process / "fd").iterdir()):
                return f" by {(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:  # another user's, or already gone
            continue
    return ""


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
            inodes += [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return inodes
