"""Forms: what is asked, in versions that never change; the answers, and the people they come from.

Tables: form, form_version, submission, held_answer. Verbs: services.save, services.configure, services.take_answers,
services.take_downloads, limits.release, limits.discard.
"""
