"""The URL of a service as somebody types it: what is wrong with it, and how it is named."""

from urllib.parse import SplitResult, urlsplit

from api.cli.errors import BAD_USE, CommandError


def check_url(url: str) -> None:
    """CommandError for what is no URL of a service; it never repeats the URL."""
    parts = _parts(url)
    if parts.scheme not in ("http", "https"):
        raise CommandError("--url begins with http:// or https://", BAD_USE)
    if not parts.hostname:
        raise CommandError("--url names no host", BAD_USE)
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise CommandError("--url names a host that cannot be", BAD_USE) from None
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise CommandError("--url has a port that cannot be: 1 to 65535", BAD_USE)


def place(url: str) -> str:
    """The service by its scheme, host and port: neither a path nor a password is shown."""
    from consent_ledger.masking import mask

    parts = _parts(url)
    host = mask(str(parts.hostname))
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise CommandError("--url cannot be read", BAD_USE) from None
