"""Emulated modems on real ptys, an emulated cellular network behind them, a control socket beside them.

Only `modembank.cli`, the demo and the tests use this package; it shares no code with the driver.
`client` is what drives a running emulator; `server` is the emulator itself.
"""
