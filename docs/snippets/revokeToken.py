from engawa_client import Authorization

# CLIENT_SECRET: the app's secret (.local/demo.json has that of quest)
app = Authorization("http://127.0.0.1:8000", "6d1f0c2ab4e79853", "CLIENT_SECRET")
app.revoke("REFRESH_TOKEN")  # that of the user's tokens
