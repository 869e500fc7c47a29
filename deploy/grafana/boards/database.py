"""PostgreSQL as the services meet it."""

from boards.panel import Dashboard, Panel, Query, each, quantiles

DATABASE = Dashboard(
    "database",
    "database and audit",
    [
        Panel(
            "Does the database answer?",
            "1 when it answered the service that asked it last.",
            "short",
            each("min by (job) (routiq_database_up)", "job"),
        ),
        Panel(
            "Are there connections left?",
            "The part of each process's connections that is in use.",
            "percentunit",
            each(
                "routiq_database_connections_used / routiq_database_connections_limit",
                "job",
                "instance",
            ),
            alarming=0.9,
        ),
        Panel(
            "How long does one wait for a connection?",
            "Until a transaction had one.",
            "s",
            quantiles("routiq_database_wait_seconds"),
        ),
        Panel(
            "Sessions",
            "Of all programs on the server, and how many it allows.",
            "short",
            [
                Query("max(routiq_database_sessions)", "open"),
                Query("max(routiq_database_sessions_limit)", "allowed"),
            ],
        ),
        Panel(
            "Is a transaction stuck?",
            "The age of each service's oldest.",
            "s",
            each("max by (job) (routiq_database_oldest_transaction_seconds)", "job"),
            alarming=660,
        ),
        Panel("Size", "Of the whole database.", "bytes", each("max(routiq_database_size_bytes)")),
        Panel(
            "Which loops fail?",
            "Rounds of background work that ended with an error.",
            "ops",
            each("sum by (job, loop) (rate(routiq_loop_failures_total[$__rate_interval]))", "job", "loop"),
        ),
        Panel(
            "What is put on record?",
            "Entries of the audit chains, by kind.",
            "ops",
            each("sum by (kind) (rate(routiq_audit_entries_total[$__rate_interval]))", "kind"),
        ),
        Panel(
            "Are the audit chains whole?",
            "Organizations whose chain is broken.",
            "short",
            each("max(routiq_audit_broken_chains)"),
            alarming=1,
        ),
    ],
)
