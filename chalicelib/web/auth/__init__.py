"""Access tokens, sessions and signatures."""
