"""Scoring: versioned rules, attribute and behaviour apart, explained point by point.

Tables: score_model, score_version, lead_score. Verbs (services): explain, score_of, draft_of, change_draft, publish,
preview, distribution, step, ready_made. Condition type: score.
"""
