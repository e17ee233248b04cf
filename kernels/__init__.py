"""The untrusted side: what runs in the analysts' own environment. It imports nothing of the enclave or the hub."""
