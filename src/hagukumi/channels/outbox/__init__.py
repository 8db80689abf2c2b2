"""Outbox: what goes out to leads, by any channel: the queue, the gate, the claim, what became of each, the retries.

Table: delivery. Verbs: queue_from, cancel_batch, resume_batch, resend, resend_all. A channel is one `channel.Channel`,
registered in `app/wiring.py` (ADR 23); `queue.Queue` is one sender's hold on its part of the queue.
"""
