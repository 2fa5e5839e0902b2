"""OAuth 2: endpoints, sign-in, consent, and the settings page of a user."""
