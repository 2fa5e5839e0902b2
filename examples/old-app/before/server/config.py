"""Hosts and keys."""

SIGNED_API = "http://api.mixi-platform.com/os/0.8"
GRAPH_API = "https://api.mixi-platform.com/2"
TOKEN_URL = "https://secure.mixi-platform.com/2/token"
AUTHORIZE_URL = "https://mixi.jp/connect_authorize.pl"

CONSUMER_KEY = "mixiapp-web_4321"
CONSUMER_SECRET = "8f4d1c0b2e6a"

CALLBACK = "http://hitokoto.example/callback"
APP_URL = "http://mixi.jp/run_appli.pl?id=4321"
PAGE = "187793"
