"""Engawa's application: what Chalice deploys beside app.py."""
