"""Fetching of images from URLs that users name."""
