"""What `python -m usadelfem` does: small commands, each a file with its arguments and what it prints."""
