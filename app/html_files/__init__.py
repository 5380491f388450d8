"""HTML files that load nothing, such as a replay's report: the template engine, a style, and plots as inline
SVG. What is in them comes from clients, and all of it is escaped."""

from app.html_files.plots import Tick, polylines, round_up, time_ticks
from app.html_files.template import load_template

__all__ = ["Tick", "load_template", "polylines", "round_up", "time_ticks"]
