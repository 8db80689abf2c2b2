"""Broadcasts: one mail to one segment at one time, and the verbs of whoever watches over it.

Table: broadcast. Verbs: draft, schedule, pause, resume, cancel, resend, resend_all, export; a step of the heart starts
and ends them.
"""
