"""OAuth 2: endpoints, sign-in, consent and a user's settings."""
