"""How the house is doing: database, collector, heart, mail."""
