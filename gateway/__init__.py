"""Cleanplate's gateway: people and media over WebRTC. Networks and pixels are in `models`."""

__version__ = "0.1.0"
