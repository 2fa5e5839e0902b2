"""HTML pages: templates, texts and links."""
