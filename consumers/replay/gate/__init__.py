"""The gate: thresholds, the intervals that tell a change from noise, and the verdict. Pure."""
