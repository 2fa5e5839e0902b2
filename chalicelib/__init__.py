"""Engawa's application: what Chalice deploys beside app.py."""

VERSION = "0.2.0"
"""Of the whole project; pyproject.toml takes it from here, and openapi.yaml has the same."""
