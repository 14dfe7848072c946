"""Facts in: bytes from outside become events here, or are kept in quarantine with a reason."""
