"""Consent: what each person agreed to, on which basis, and which addresses are never mailed.

Tables: consent_text, consent (append-only), consent_now (folded), suppression.
Verbs: grant_from, withdraw, suppress, standing.
"""
