"""The one place that builds objects and joins them."""

from modembank.service.demo import demo
from modembank.service.serve import Running, serve

__all__ = ["Running", "demo", "serve"]
