"""The audio path in C: one thread that carries all calls of the process, beside the Python path that it equals.

`core/` holds the C sources, `build` makes a shared library of them, `binding` declares it, `line` is what the rest
of modembank uses. Without a compiler there is no library, `binding.load()` says so, and calls take the Python path.
"""
