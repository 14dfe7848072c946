"""Providers that only pretend: they judge the tests, and let a bank try Belfry without a contract.

Each keeps a log of what it accepted, and plays the faults of the real one.
"""
