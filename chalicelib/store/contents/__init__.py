"""Feeds, comments, favorites, images, and their cleanup."""
