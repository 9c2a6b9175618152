"""From a user's file to a Graph: the file's ending decides which front end reads it."""

from .model import Opened, load, open_model

__all__ = ["Opened", "load", "open_model"]
