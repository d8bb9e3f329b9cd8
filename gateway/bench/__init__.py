"""Measuring what people see: cameras and viewers of our own around a real server."""
