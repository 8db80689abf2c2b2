"""引き渡し: a ready lead is given to sales, which accepts it or returns it with a reason.

Tables: handover. Verbs: hand_over_from, hand_over, accept, give_back.
"""
