"""Puts Engawa on AWS: the zip, the templates, the keys, and what deploys them. Never deployed itself."""
