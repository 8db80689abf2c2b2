"""Where the house is joined: settings, addresses, wiring, what a new workspace starts with, the doctor."""
