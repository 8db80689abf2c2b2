"""How a lead is reached."""
