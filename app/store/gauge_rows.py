"""How states and measured values are kept: the parts that gauge_rows.lua adds."""
