"""What holds for every broadcast, without a database."""

CARRY_DAYS = 7
"""How many days what is over the daily cap is carried over where the broadcast's sender has set no date."""
