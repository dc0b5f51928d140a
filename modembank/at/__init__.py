"""The AT protocol, pure: bytes or records in, records out."""
