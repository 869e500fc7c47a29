from gateway.adapters.heads import request_head, response_headers


def test_a_service_gets_the_clients_headers_without_what_is_private_to_the_connection_or_to_us() -> None:
    client = (
        (b"host", b"api.example"),
        (b"accept", b"application/json"),
        (b"authorization", b"Bearer token"),
        (b"cookie", b"__session=token"),
        (b"connection", b"close, X-Temporary"),
        (b"x-temporary", b"1"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"x-forwarded-for", b"6.6.6.6"),
        (b"x-forwarded-anything", b"1"),
        (b"forwarded", b"for=6.6.6.6"),
        (b"x-routiq-identity", b"forged"),
        (b"x-organization-id", b"org_a"),
        (b"content-length", b"3"),
    )
    head = request_head("POST", b"/x?y=1", b"patients:8001", client, b"x-routiq-identity: signed\r\n")
    assert head == (
        b"POST /x?y=1 HTTP/1.1\r\nhost: patients:8001\r\naccept: application/json\r\ncontent-length: 3\r\n"
        b"x-routiq-identity: signed\r\n\r\n"
    )


def test_naming_the_identity_a_connection_header_does_not_remove_it() -> None:
    head = request_head("GET", b"/", b"s", ((b"connection", b"x-routiq-identity"),), b"x-routiq-identity: signed\r\n")
    assert b"x-routiq-identity: signed\r\n" in head


def test_declaring_the_length_a_connection_header_does_not_unframe_the_body() -> None:
    client = ((b"connection", b"content-length, transfer-encoding"), (b"content-length", b"3"))
    assert b"content-length: 3\r\n" in request_head("POST", b"/", b"s", client, b"")


def test_a_client_gets_no_headers_of_the_inner_connection_or_server() -> None:
    service = (
        (b"content-type", b"application/json"),
        (b"server", b"uvicorn"),
        (b"date", b"today"),
        (b"connection", b"keep-alive"),
        (b"transfer-encoding", b"chunked"),
        (b"x-request-id", b"1"),
        (b"etag", b'"1"'),
    )
    assert response_headers(200, service) == [(b"content-type", b"application/json"), (b"etag", b'"1"')]


def test_an_answer_without_a_body_declares_no_length() -> None:
    assert response_headers(304, ((b"content-length", b"10"),)) == []
