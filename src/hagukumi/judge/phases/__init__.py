"""Phases: any number of models side by side, moved by rules forward and back, each move with its reason.

Tables: phase_model, phase, phase_rule, lead_phase. Verbs (services): move_from, move, standing, board, save_rule,
delete_rule, step, ready_made. Condition types: phase, phase_activity.
"""
