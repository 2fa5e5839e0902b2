"""The rules, in plain Python: no Chalice, no boto3, no imports from our other packages."""
