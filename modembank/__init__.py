"""modembank: a rack of SIM cards as a telephone service."""

__version__ = "0.1.0"
