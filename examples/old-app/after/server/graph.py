"""Graph API with OAuth 2.0, draft 10."""

import json
import urllib.error
import urllib.parse
import urllib.request

import config


def authorize_url(scope, state):
    query = {"client_id": config.CONSUMER_KEY, "response_type": "code", "scope": scope, "display": "pc", "state": state}
    return config.AUTHORIZE_URL + "?" + urllib.parse.urlencode(query)


def tokens(**form):
    form.update(client_id=config.CONSUMER_KEY, client_secret=config.CONSUMER_SECRET)
    with urllib.request.urlopen(config.TOKEN_URL, urllib.parse.urlencode(form).encode()) as answer:
        return json.load(answer)


class Session:
    """The tokens of a user, or of the app itself."""

    def __init__(self, **form):
        self.tokens = tokens(**form)

    def ask(self, method, path, body=None, **query):
        """Send a request. If the access token has expired, get another one first."""
        try:
            return self.send(method, path, body, query)
        except urllib.error.HTTPError as error:
            if error.headers.get("WWW-Authenticate") != "OAuth error='expired_token'":
                raise
        self.tokens = tokens(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])
        return self.send(method, path, body, query)

    def send(self, method, path, body, query):
        request = urllib.request.Request(
            config.GRAPH_API + path + "?" + urllib.parse.urlencode(query),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "OAuth " + self.tokens["access_token"], "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def user(code):
    return Session(grant_type="authorization_code", code=code, redirect_uri=config.CALLBACK)


def page_feeds():
    """Return the titles of the page's feeds. The app asks for itself: feeds are public."""
    app = Session(grant_type="client_credentials")
    return [feed["title"] for feed in app.ask("GET", "/pages/%s/feeds" % config.PAGE)["entry"]]


def post_theme(administrator, text):
    """Post the theme of the day to the page, as one of its administrators."""
    return administrator.ask("POST", "/pages/%s/feeds" % config.PAGE, {"title": text, "body": "今日のお題です。"})
