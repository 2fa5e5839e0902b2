from engawa_client import Authorization

app = Authorization("http://127.0.0.1:8000", "6d1f0c2ab4e79853")
print(app.metadata()["token_endpoint"])
