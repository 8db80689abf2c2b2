"""Unsubscribe: a person stops what we send them, by the link in it; and takes the stop back. For any channel.

Verbs: unsubscribe, resubscribe, recipient.
"""
