"""The arithmetic of the integer nets: the one rounding rule, multipliers, tables and bounds."""
