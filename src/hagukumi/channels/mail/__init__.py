"""Mail: templates, senders, broadcasts, and one row per mail that was meant to go out.

Tables: sender, message, broadcast, delivery. Verbs: queue_from, problems, schedule, pause, resume, cancel, resend,
unsubscribe.
"""
