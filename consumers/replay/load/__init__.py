"""How fast requests are sent, and when each of them is due. Pure but for a clock."""
