"""What clients meet, and the services behind it."""

from boards.panel import Dashboard, Panel, Query, each, quantiles

OUTSIDE = '{route!~"/health.*|/metrics"}'

GATEWAY = Dashboard(
    "gateway",
    "gateway and services",
    [
        Panel(
            "Which routes are asked?",
            "Requests by route template.",
            "reqps",
            each(f"topk(10, sum by (route) (rate(routiq_gateway_requests_total{OUTSIDE}[$__rate_interval])))", "route"),
        ),
        Panel(
            "How are they answered?",
            "Requests by method and HTTP status.",
            "reqps",
            each(
                f"sum by (method, status) (rate(routiq_gateway_requests_total{OUTSIDE}[$__rate_interval]))",
                "method",
                "status",
            ),
        ),
        Panel(
            "Which routes are slow?",
            "Nineteen of twenty requests are faster.",
            "s",
            quantiles("routiq_gateway_request_seconds", OUTSIDE, by="route"),
        ),
        Panel(
            "What does the gateway itself take?",
            "Its own part of the time until an answer began.",
            "s",
            quantiles("routiq_gateway_own_seconds"),
        ),
        Panel(
            "How long do services take?",
            "Until a service's answer began; nineteen of twenty are faster.",
            "s",
            quantiles("routiq_gateway_service_seconds", by="service"),
            alarming=2,
        ),
        Panel(
            "Is a service given up?",
            "The breaker: 0 closed, 1 trying, 2 open.",
            "short",
            each("max by (service) (routiq_gateway_breaker_state)", "service"),
            alarming=2,
        ),
        Panel(
            "How are tokens judged?",
            "Checked, remembered from before, refused.",
            "reqps",
            each("sum by (outcome) (rate(routiq_gateway_tokens_total[$__rate_interval]))", "outcome"),
        ),
        Panel(
            "Who is over the limit?",
            "Requests refused with 429, by tier.",
            "reqps",
            each("sum by (tier) (rate(routiq_gateway_rate_limited_total[$__rate_interval]))", "tier"),
        ),
        Panel(
            "Are limits counted together?",
            "Requests counted by one process alone, the shared store being away.",
            "reqps",
            each("sum by (instance) (rate(routiq_gateway_limits_alone_total[$__rate_interval]))", "instance"),
        ),
        Panel(
            "How old are Clerk's keys?",
            "Fetched every 5 minutes, used for 24 hours.",
            "s",
            each("max by (instance) (routiq_gateway_jwks_age_seconds)", "instance"),
            alarming=3600,
        ),
        Panel(
            "Do refusals get on record?",
            "Since the oldest refusal happened that the broker has not confirmed.",
            "s",
            each("max by (instance) (routiq_gateway_refusals_oldest_seconds)", "instance"),
            alarming=120,
        ),
        Panel(
            "How many refusals wait, or are lost?",
            "Not confirmed yet, and since the process began never to be on record.",
            "short",
            [
                Query("max by (instance) (routiq_gateway_refusals_waiting)", "{{instance}} waiting"),
                Query("max by (instance) (routiq_gateway_refusals_dropped_total)", "{{instance}} lost"),
            ],
            alarming=1000,
        ),
        Panel(
            "What does Clerk tell us?",
            "Messages that came as Clerk's: refused is wrongly signed, unchecked without our secret.",
            "ops",
            each("sum by (outcome) (rate(routiq_admin_clerk_messages_total[$__rate_interval]))", "outcome"),
        ),
        Panel(
            "What do the services answer?",
            "Requests by service and status, health and metrics not counted.",
            "reqps",
            each(
                f"sum by (job, status) (rate(routiq_http_requests_total{OUTSIDE}[$__rate_interval]))",
                "job",
                "status",
            ),
        ),
        Panel(
            "Which of their routes are slow?",
            "Nineteen of twenty requests are faster.",
            "s",
            quantiles("routiq_http_request_seconds", OUTSIDE, by="route"),
        ),
    ],
)
