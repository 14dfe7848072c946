"""A rulebook made fast: generated Python, and for each event type what to look at."""

from belfry.engine.program.build import Program, build_program

__all__ = ["Program", "build_program"]
