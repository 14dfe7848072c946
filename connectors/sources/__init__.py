"""Sources: a bank's files become events by a YAML mapping, without code (rules/sources/)."""
