"""The pure core: no clock, no I/O, no randomness, no logging. Events in, decisions out."""
