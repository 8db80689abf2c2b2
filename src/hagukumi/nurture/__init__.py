"""Who gets what, when: scenarios."""
