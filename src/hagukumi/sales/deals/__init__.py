"""商談: deals from the first talk to won or lost.

Tables: deal_stage, deal. Verbs: create_deal, move_stage, close_deal.
"""
