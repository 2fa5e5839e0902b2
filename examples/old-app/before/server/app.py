"""The server of ひとこと: python app.py PORT"""

import json
import os
import random
import sys
import urllib.parse
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import config
import graph
import signed
import viewer

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TYPES = {".js": "text/javascript; charset=UTF-8", ".html": "text/html; charset=UTF-8"}
SCOPES = "mixi_apps2 r_profile w_pagefeed"
sessions = {}


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def serve(environ, start_response):
    path, query = environ["PATH_INFO"], dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    sid = cookies["sid"].value if "sid" in cookies else None
    file = os.path.join(FOLDER, os.path.basename(path))
    status, headers, body = "200 OK", [("Content-Type", "application/json")], ""
    if os.path.splitext(file)[1] in TYPES and os.path.exists(file):
        headers = [("Content-Type", TYPES[os.path.splitext(file)[1]])]
        with open(file, encoding="UTF-8") as opened:
            body = opened.read()
    elif path == "/start":
        sid = "%032x" % random.SystemRandom().getrandbits(128)
        status = "302 Found"
        cookie = "sid=%s; HttpOnly; SameSite=Lax" % sid
        headers = [("Set-Cookie", cookie), ("Location", graph.authorize_url(SCOPES, sid))]
    elif path == "/callback" and sid and "code" in query and query.get("state") == sid:
        sessions[sid] = graph.user(query["code"])
        status = "302 Found"
        headers = [("Location", config.APP_URL.format(**sessions[sid].tokens))]
    elif path == "/theme":
        body = json.dumps({"text": [*graph.page_feeds(), "好きな食べもの"][0]})
    elif path == "/theme/post" and sid in sessions and environ["REQUEST_METHOD"] == "POST":
        body = json.dumps(graph.post_theme(sessions[sid], query["text"]))
    elif path == "/ranking":
        user = viewer.of(environ, query, sessions.get(sid))
        if user:
            body = json.dumps(signed.ranking(user))
        else:
            status = "403 Forbidden"
    else:
        status = "404 Not Found"
    start_response(status, headers)
    return [body.encode()]


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), serve, Server).serve_forever()
