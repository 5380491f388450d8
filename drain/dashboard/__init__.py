"""What people and machines look at: the page, its JSON API, and routes for Prometheus."""

from drain.dashboard.blueprint import blueprint
from drain.dashboard.prometheus import RouteCollector

__all__ = ["RouteCollector", "blueprint"]
