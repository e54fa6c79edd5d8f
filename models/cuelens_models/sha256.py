"""SHA-256 of a few hundred kilobytes, without loading OpenSSL: hashlib does, for 3 MB of memory at every start."""

try:
    # Of Python 3.12 and later; CPython's own `random` takes its hash from there for the same reason.
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256 as _sha256  # type: ignore[import-not-found]
    except ImportError:
        # Some distributions build Python without hashes of its own.
        from hashlib import sha256 as _sha256


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return str(_sha256(content).hexdigest())
