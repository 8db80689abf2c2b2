"""Consent: what each person agreed to, on which basis, and which addresses are never mailed.

Tables: consent_text, consent (append-only), consent_now (folded), suppression, address_check, stop_kept.
Verbs: grant_from, withdraw, suppress, lift, standing, watch, ask, take_asked, confirm, keep_stops.
"""
