"""Where leads come from: typed, dated, costed (M1).

Tables: source. Verbs: find_or_make.
"""
