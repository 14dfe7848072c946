"""Facts in: sources, decoding, quarantine. Bytes from outside become events here, or are kept with a reason."""
