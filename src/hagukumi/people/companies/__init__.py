"""Companies: one row per company, matched by its normalised name, with its mail domains.

Tables: company, company_domain. Verbs: see `services`.
"""
