"""Handover and deals.

Tables: deal_stage, handover, deal. Verbs: hand_over_from, accept, give_back, create_deal, close_deal.
"""
