"""What the learn screens read, from the ledger. Table: plan. Verbs: funnel, source_yield, monthly, reverse_plan."""
