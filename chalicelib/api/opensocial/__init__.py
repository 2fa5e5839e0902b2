"""Information Sharing: OpenSocial 0.8 as JSON-RPC, REST and JavaScript."""
