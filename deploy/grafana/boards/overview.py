"""The first look: one panel for each question."""

from boards.panel import Dashboard, Panel, Query, each, quantiles

OUTSIDE = '{route!~"/health.*|/metrics"}'

OVERVIEW = Dashboard(
    "overview",
    "overview",
    [
        Panel(
            "Alerts",
            "Raised now. Each has a page in docs/runbooks.",
            "short",
            [Query('sum(ALERTS{alertstate="firing"}) or vector(0)', "raised")],
            kind="stat",
            width=4,
            alarming=1,
        ),
        Panel("Parts that answer", "Processes Prometheus can ask.", "short", each("sum(up)"), kind="stat", width=4),
        Panel("Parts that do not", "Away, or hanging.", "short", each("sum(1 - up)"), kind="stat", width=4, alarming=1),
        Panel(
            "Late clinics",
            "Clinics we could serve whose data are more than two hours old.",
            "short",
            each("max(routiq_sync_late_clinics)"),
            kind="stat",
            width=4,
            alarming=1,
        ),
        Panel(
            "Dead letters",
            "Messages laid aside for a person to look at.",
            "short",
            each("sum(max by (queue) (routiq_queue_dead_letters))"),
            kind="stat",
            width=4,
            alarming=1,
        ),
        Panel(
            "Broken audit chains",
            "Organizations whose records of what happened have been changed.",
            "short",
            each("max(routiq_audit_broken_chains)"),
            kind="stat",
            width=4,
            alarming=1,
        ),
        Panel(
            "How much is asked?",
            "Requests answered by the gateway, by what answered them.",
            "reqps",
            each(f"sum by (service) (rate(routiq_gateway_requests_total{OUTSIDE}[$__rate_interval]))", "service"),
        ),
        Panel(
            "How much of it fails?",
            "Share of requests answered with an error of ours.",
            "percentunit",
            [
                Query(
                    '(sum(rate(routiq_gateway_requests_total{status=~"5..", route!~"/health.*"}[$__rate_interval]))'
                    f" or vector(0)) / sum(rate(routiq_gateway_requests_total{OUTSIDE}[$__rate_interval]))",
                    "failed",
                )
            ],
            alarming=0.05,
        ),
        Panel(
            "How long does an answer take?",
            "Until the answer was complete, as seen by the gateway.",
            "s",
            quantiles("routiq_gateway_request_seconds", OUTSIDE),
        ),
        Panel(
            "How old are the clinics' data?",
            "Of connected clinics that are not paused: the oldest, and how many have younger ones.",
            "s",
            [
                Query("max(routiq_sync_stalest_clinic_seconds)", "oldest"),
                Query("max by (quantile) (routiq_sync_data_age_seconds)", "younger in {{quantile}}"),
            ],
            alarming=7200,
        ),
        Panel(
            "Does each queue keep up?",
            "Messages that wait in the five fullest queues.",
            "short",
            each("topk(5, max by (queue) (routiq_queue_messages))", "queue"),
        ),
        Panel(
            "Is Cliniko answering?",
            "Requests to Cliniko, by what came of them.",
            "reqps",
            each("sum by (outcome) (rate(routiq_cliniko_requests_total[$__rate_interval]))", "outcome"),
        ),
        Panel(
            "Do the outboxes drain?",
            "Since the oldest event that waits to be published was announced.",
            "s",
            each("max by (job) (routiq_outbox_oldest_seconds)", "job"),
            alarming=120,
        ),
        Panel(
            "Do the background loops go round?",
            "How many times its period ago each loop last went round.",
            "short",
            each(
                "max by (job, loop) ((time() - routiq_loop_turned_timestamp_seconds) / routiq_loop_period_seconds)",
                "job",
                "loop",
            ),
        ),
        Panel(
            "When were the audit chains last checked?",
            "Since somebody had gone along all of them.",
            "s",
            each("time() - max(routiq_audit_verified_seconds)"),
            alarming=86400,
        ),
    ],
)
