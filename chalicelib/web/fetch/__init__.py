"""Fetching images from addresses that users name."""
