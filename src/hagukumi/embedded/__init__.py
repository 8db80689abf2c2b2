"""The parts that make one command enough: PostgreSQL from a wheel, a mailbox for development, and a supervisor.

Imports only `kit`; runs without Django.
"""
