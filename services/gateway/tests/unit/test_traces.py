import pytest

from gateway.domain.traces import made, valid

TRACE, PARENT = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"


@pytest.mark.parametrize("traceparent", [b"00-%b-%b-01" % (TRACE, PARENT), b"01-%b-%b-00-more" % (TRACE, PARENT)])
def test_a_trace_as_the_standard_has_it_is_valid(traceparent: bytes) -> None:
    assert valid(traceparent)


@pytest.mark.parametrize(
    "traceparent",
    [
        b"",
        b"00-%b-%b" % (TRACE, PARENT),
        b"00-%b-%b-01-more" % (TRACE, PARENT),
        b"ff-%b-%b-01" % (TRACE, PARENT),
        b"00-%b-%b-01" % (b"0" * 32, PARENT),
        b"00-%b-%b-01" % (TRACE, b"0" * 16),
        b"00-%b-%b-01" % (TRACE.upper(), PARENT),
        b"00-%b-%b-01\n" % (TRACE, PARENT),
    ],
)
def test_anything_else_is_not(traceparent: bytes) -> None:
    assert not valid(traceparent)


@pytest.mark.parametrize(
    "request_id", ["0EA5B4C6-6d8e-4a1f-9d3a-111111111111", "0123456789abcdef0123456789abcdef", "0" * 32, "1" + "0" * 31]
)
def test_a_trace_that_was_made_is_valid(request_id: str) -> None:
    assert valid(made(request_id))


def test_a_trace_that_was_made_is_found_by_the_request_id() -> None:
    assert made("0EA5B4C6-6d8e-4a1f-9d3a-111111111111")[3:35] == b"0ea5b4c66d8e4a1f9d3a111111111111"
