"""Sources: a bank's own files become events by a YAML mapping, without code (rules/sources/*.yaml)."""
