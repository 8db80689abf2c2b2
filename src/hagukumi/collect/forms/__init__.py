"""Forms: what is asked, in versions that never change; the answers, and the people they come from.

Tables: form, form_version, submission. Verbs: services.save, services.take_answers, services.take_downloads.
"""
