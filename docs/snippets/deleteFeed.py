from engawa_client import Engawa

# TOKEN: a user's access token with the scope w_pagefeed
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
page = engawa.page("20260401000000000001")
page.delete_feed("http://quest.example/contents/2")
