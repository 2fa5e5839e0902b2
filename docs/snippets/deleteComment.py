from engawa_client import Engawa

# TOKEN: a user's access token with the scope w_pagefeed
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
page = engawa.page("20260401000000000001")
page.delete_comment("http://quest.example/contents/1", "0000015K2QZ8W-20260401090000")
