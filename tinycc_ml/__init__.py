"""tinycc_ml: a compiler from trained networks to exact, static C for microcontrollers."""

__version__ = "0.1.0"
