"""The rules, in plain Python: no Chalice, no boto3, nothing of ours from outside this package."""
