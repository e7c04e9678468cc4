"""Keys: made here, wrapped by the key service, and used here.

The hierarchy: the key service's master key wraps each organisation's key (and the installation's);
under those come sealed columns, keyed indexes and signing keys, later data keys and recording key
pairs. An organisation's key is never used itself: what is needed is derived from it by HKDF with
a purpose, so a ciphertext, an index and a hash never share a key.
"""
