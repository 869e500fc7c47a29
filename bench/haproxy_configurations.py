"""HAProxy as an operator would put it there instead of the gateway: doing the least, and doing alike."""

HAPROXY_LEAST = """
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend gateway
    bind {address}
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{key}") 1 }}
    http-request set-var(txn.user) var(txn.bearer),jwt_payload_query('$.sub')
    stick-table type string len 64 size 100k expire 15m store http_req_rate(15m)
    http-request track-sc0 var(txn.user)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 1000000 }}
    http-request set-header x-user %[var(txn.user)]
    default_backend service
backend service
    http-reuse always
    server one {upstream}
"""
HAPROXY_ALIKE = """
global
    nbthread 1
    maxconn 1000
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend gateway
    bind {address}
    unique-id-format %[uuid()]
    unique-id-header x-request-id
    log-format '{{"request_id":"%ID","organization_id":"%[var(txn.org)]","method":"%HM","status":%ST,"ms":%Ta}}'
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{key}") 1 }}
    http-request set-var(txn.now) date()
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt -5 }}
    http-request set-var(txn.nbf) var(txn.bearer),jwt_payload_query('$.nbf','int')
    http-request deny deny_status 401 if {{ var(txn.nbf),sub(txn.now) -m int gt 5 }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_payload_query('$.iss') -m str {issuer} }}
    http-request deny deny_status 401 if {{ var(txn.bearer),jwt_payload_query('$.sts') -m str pending }}
    http-request set-var(txn.user) var(txn.bearer),jwt_payload_query('$.sub')
    http-request set-var(txn.org) var(txn.bearer),jwt_payload_query('$.o.id')
    http-request set-var(txn.role) var(txn.bearer),jwt_payload_query('$.o.rol')
    http-request set-var(txn.named) path,field(5,/)
    http-request deny deny_status 403 unless {{ var(txn.named),strcmp(txn.org) eq 0 }}
    http-request set-var(txn.who) var(txn.user),concat(" ",txn.org)
    stick-table type string len 64 size 100k expire 15m store http_req_cnt
    http-request track-sc0 var(txn.who)
    http-request deny deny_status 429 if {{ sc_http_req_cnt(0) gt 1000000 }}
    http-request set-var(txn.count) sc_http_req_cnt(0)
    http-request set-var(txn.claims) var(txn.who),concat(" ",txn.role),concat(" ",txn.now)
    http-request set-header x-identity %[var(txn.claims),base64].%[var(txn.claims),hmac(sha256,aWRlbnRpdHkta2V5),base64]
    http-request del-header authorization
    http-request del-header cookie
    http-request del-header x-forwarded- -m beg
    http-request set-header x-forwarded-for %[src]
    http-request set-header x-forwarded-proto http
    http-request set-header x-forwarded-host %[req.hdr(host)]
    http-response del-header server
    http-response set-header x-request-id %ID
    http-response set-header x-ratelimit-limit 1000
    http-response set-header x-ratelimit-remaining %[int(1000),sub(txn.count)]
    http-response set-header x-content-type-options nosniff
    http-response set-header x-frame-options DENY
    http-response set-header referrer-policy no-referrer
    http-response set-header strict-transport-security "max-age=31536000; includeSubDomains"
    http-response set-header content-security-policy "default-src 'none'; frame-ancestors 'none'"
    http-response set-header cache-control no-store
    http-response set-header vary Origin
    default_backend service
backend service
    http-reuse always
    server one {upstream}
"""
