"""The deployment of Engawa to AWS: the zip, the templates, the keys and the commands. Never deployed itself."""
