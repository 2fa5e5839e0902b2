"""What the faces share: tokens, request parsing, and errors as JSON."""
