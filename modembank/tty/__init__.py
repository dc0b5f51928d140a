"""Serial ports: the only package that opens them; the AT channel, the audio port, discovery."""
