"""Signed requests to the RESTful API: OAuth 1.0a with two legs, HMAC-SHA1."""

import base64
import hashlib
import hmac
import json
import random
import time
import urllib.parse
import urllib.request

import config


def escape(text):
    return urllib.parse.quote(str(text), safe="-._~")


def ask(method, path, user, body=None, **query):
    """Send a request on behalf of a user. Return the JSON of the answer."""
    url = config.SIGNED_API + path
    query["xoauth_requestor_id"] = user
    oauth = {
        "oauth_consumer_key": config.CONSUMER_KEY,
        "oauth_nonce": "%032x" % random.getrandbits(128),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_version": "1.0",
    }
    pairs = sorted((escape(name), escape(value)) for name, value in {**oauth, **query}.items())
    base = "&".join(escape(part) for part in (method, url, "&".join("%s=%s" % pair for pair in pairs)))
    key = escape(config.CONSUMER_SECRET) + "&"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    oauth["oauth_signature"] = base64.b64encode(digest).decode()
    header = "OAuth " + ", ".join('%s="%s"' % (name, escape(value)) for name, value in sorted(oauth.items()))
    request = urllib.request.Request(
        url + "?" + "&".join("%s=%s" % (escape(name), escape(value)) for name, value in query.items()),
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": header, "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def ranking(user):
    """Return the user and the friends who have the app, with the most words first. Store the user's place."""
    people = [ask("GET", "/people/@me/@self", user)["entry"]]
    people += ask("GET", "/people/@me/@friends", user, filterBy="hasApp", count=100)["entry"]
    counts = {}
    for group in ("@self", "@friends"):
        for who, data in ask("GET", "/appdata/@me/%s/@app" % group, user, fields="count")["entry"].items():
            counts[who.split(":")[-1]] = int(data.get("count", 0))
    places = [{"id": one["id"], "name": one["nickname"], "count": counts.get(one["id"], 0)} for one in people]
    places.sort(key=lambda place: -place["count"])
    mine = [place["id"] for place in places].index(user) + 1
    ask("PUT", "/appdata/@me/@self/@app", user, {"place": str(mine)})
    return places
