"""The rulebook: what bank operations wrote, read from YAML, checked and typed."""
