"""Code that the faces share: tokens, request parsing, and errors as JSON."""
