"""From the outboxes through the queues to their consumers."""

from boards.panel import Dashboard, Panel, Query, each, quantiles

MESSAGING = Dashboard(
    "messaging",
    "messaging",
    [
        Panel(
            "How much waits?",
            "Messages in each queue, those at hand not counted.",
            "short",
            each("max by (queue) (routiq_queue_messages)", "queue"),
            alarming=1000,
        ),
        Panel(
            "How old is the oldest message?",
            "Of those a consumer has at hand: the first of its queue.",
            "s",
            each("max by (queue) (routiq_queue_oldest_seconds)", "queue"),
            alarming=300,
        ),
        Panel(
            "How many are at hand?",
            "Given to a consumer and not settled, over all replicas.",
            "short",
            each("sum by (queue) (routiq_queue_at_hand)", "queue"),
        ),
        Panel(
            "How much is handled?",
            "Messages by queue.",
            "ops",
            each('sum by (queue) (rate(routiq_messages_total{outcome="handled"}[$__rate_interval]))', "queue"),
        ),
        Panel(
            "How much goes wrong?",
            "Messages tried again later, laid aside, or put back into their queue.",
            "ops",
            each(
                'sum by (queue, outcome) (rate(routiq_messages_total{outcome!="handled"}[$__rate_interval]))',
                "queue",
                "outcome",
            ),
        ),
        Panel(
            "How much comes again?",
            "Messages whose consumer went away with them.",
            "ops",
            each("sum by (queue) (rate(routiq_messages_redelivered_total[$__rate_interval]))", "queue"),
        ),
        Panel(
            "How long did a message wait?",
            "From being published until its handling began; nineteen of twenty waited less.",
            "s",
            quantiles("routiq_message_age_seconds", by="queue"),
        ),
        Panel(
            "How long does handling take?",
            "Nineteen of twenty are faster.",
            "s",
            quantiles("routiq_message_seconds", by="queue"),
        ),
        Panel(
            "Who consumes?",
            "Consumers the broker knows of.",
            "short",
            each("max by (queue) (routiq_queue_consumers)", "queue"),
        ),
        Panel(
            "Dead letters",
            "Messages laid aside for a person to look at.",
            "short",
            each("max by (queue) (routiq_queue_dead_letters)", "queue"),
            alarming=1,
        ),
        Panel(
            "What waits to be tried again?",
            "Failed messages, by how long they rest.",
            "short",
            each("max by (queue) (routiq_queue_retries)", "queue"),
        ),
        Panel(
            "Are all connected?",
            "1 while a process has its connection to the broker.",
            "short",
            each("min by (job) (routiq_broker_connected)", "job"),
        ),
        Panel(
            "What waits in the outboxes?",
            "Events written beside their change and not yet published.",
            "short",
            each("max by (job) (routiq_outbox_waiting)", "job"),
        ),
        Panel(
            "How old is the oldest of it?",
            "Since it was announced.",
            "s",
            each("max by (job) (routiq_outbox_oldest_seconds)", "job"),
            alarming=120,
        ),
        Panel(
            "How much is published?",
            "Events the broker has confirmed, and attempts it has not.",
            "ops",
            [
                Query("sum by (job) (rate(routiq_outbox_published_total[$__rate_interval]))", "{{job}}"),
                Query("sum by (job) (rate(routiq_outbox_failures_total[$__rate_interval]))", "{{job}} not confirmed"),
            ],
        ),
    ],
)
