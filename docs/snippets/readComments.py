from engawa_client import Engawa

# TOKEN: an access token of the app (or a user's, with the scope r_page)
engawa = Engawa("http://127.0.0.1:8000", token="TOKEN")
page = engawa.page("20260401000000000001")
comments = page.comments("http://quest.example/contents/1")
for comment in comments:
    print(comment["user"]["displayName"], comment["comment"])
