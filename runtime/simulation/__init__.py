"""The embedded host in a made-up world where everything fails, in virtual time, from a seed."""
