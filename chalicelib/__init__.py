"""Engawa's application: what Chalice deploys beside app.py."""

VERSION = "0.1.0"
"""Of the whole project; pyproject.toml takes it from here, and openapi.yaml has the same."""
