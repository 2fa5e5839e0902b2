"""The pages of `/docs`, made from openapi.yaml and docs/: `python -m infra.site` builds them."""
