"""Hosts and keys."""

SIGNED_API = "http://127.0.0.1:8000/os/0.8"
GRAPH_API = "http://127.0.0.1:8000/2"
TOKEN_URL = "http://127.0.0.1:8000/2/token"
AUTHORIZE_URL = "http://127.0.0.1:8000/connect_authorize.pl"

CONSUMER_KEY = "0123456789abcdef"
CONSUMER_SECRET = "the secret that apps create prints"

CALLBACK = "http://127.0.0.1:9000/callback"
APP_URL = "http://127.0.0.1:9000/index.html#st={access_token}"
PAGE = "20260401000000000001"
