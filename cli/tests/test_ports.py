import os
import socket

import pytest

from routiq.failures import UsageError
from routiq.ports import LOOPBACK, free_port, require_free


def test_a_taken_port_is_named_with_its_holder_and_its_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError) as refusal:
            require_free([("gateway", "PORT", port), ("sync", "SYNC_PORT", free_port())])
    assert f"Port {port} for gateway is taken by" in str(refusal.value)
    assert f"(pid {os.getpid()}); set PORT to another." in str(refusal.value)
    assert "SYNC_PORT" not in str(refusal.value)
    assert refusal.value.exit_status == 2


def test_free_ports_pass() -> None:
    require_free([("gateway", "PORT", free_port())])


def test_one_number_for_two_of_our_own_is_named_before_anything_starts() -> None:
    port = free_port()
    with pytest.raises(UsageError, match=f"Port {port} is set for both clerk and cliniko; set CLINIKO_PORT"):
        require_free([("clerk", "CLERK_PORT", port), ("cliniko", "CLINIKO_PORT", port)])
