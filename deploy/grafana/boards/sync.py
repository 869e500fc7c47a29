"""From Cliniko to us: fresh data, runs, and how Cliniko answers."""

from boards.panel import Dashboard, Panel, Query, each, quantiles

SYNC = Dashboard(
    "sync",
    "sync and Cliniko",
    [
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
            "How do the clinics stand?",
            "Served by the schedule, late, due, failing, and paused with the reason.",
            "short",
            [
                Query("max(routiq_sync_served_clinics)", "served"),
                Query("max(routiq_sync_late_clinics)", "late"),
                Query("max(routiq_sync_due_clinics)", "due"),
                Query("max(routiq_sync_failing_clinics)", "failing"),
                Query("max by (reason) (routiq_sync_paused_clinics)", "{{reason}}"),
            ],
        ),
        Panel(
            "Runs",
            "At work or queued now, and ended in the last 24 hours.",
            "short",
            each("max by (mode, status) (routiq_sync_runs)", "mode", "status"),
        ),
        Panel(
            "Is every run worked on?",
            "Runs at work that had no beat for longer than a lease.",
            "short",
            each("max(routiq_sync_silent_runs)"),
            alarming=1,
        ),
        Panel(
            "How long does a run wait?",
            "For how long one has been queued that nobody took up.",
            "s",
            each("max(routiq_sync_longest_wait_seconds)"),
            alarming=900,
        ),
        Panel(
            "Does the schedule go on?",
            "Since any scheduler last showed itself.",
            "s",
            each("time() - max(routiq_sync_scheduler_beat_seconds)"),
        ),
        Panel(
            "Is Cliniko answering?",
            "Requests by what came of them: limited is 429, failed 5xx, unreachable no answer.",
            "reqps",
            each("sum by (outcome) (rate(routiq_cliniko_requests_total[$__rate_interval]))", "outcome"),
        ),
        Panel(
            "How long does Cliniko take?",
            "Until its answer was complete.",
            "s",
            quantiles("routiq_cliniko_request_seconds"),
        ),
        Panel(
            "How near is Cliniko's limit?",
            "The part of its limit an account had used in the last minute, each time requests asked for room.",
            "percentunit",
            quantiles("routiq_cliniko_budget_used_ratio"),
            alarming=0.97,
        ),
        Panel(
            "How long do requests wait for room?",
            "Within the limit of their account, before they leave.",
            "s",
            quantiles("routiq_cliniko_turn_seconds"),
        ),
    ],
)
