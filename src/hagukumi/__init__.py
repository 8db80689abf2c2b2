"""育み (Hagukumi): a lead-nurturing system. Read `config/wiring.py` to see the whole house on one page."""

__version__ = "0.1.0"
