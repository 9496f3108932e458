"""Moments as the extension counts them, and what pickle needs."""

from datetime import datetime, timedelta, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._cbpii import Account, FundsRequest

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime, name: str) -> int | None:
    """Milliseconds since 1970; None for a moment without a time zone. ``name`` says which one was given."""
    if not isinstance(moment, datetime):
        raise TypeError(f"{name} is a datetime, not {type(moment).__name__}")
    if moment.utcoffset() is None:
        return None
    return (moment - EPOCH) // _MILLISECOND


def moment_of_text(text: str) -> datetime:
    """A moment of RFC 3339 in UTC."""
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00").astimezone(timezone.utc)


def account(facts: "dict[str, Any]") -> "Account":
    """An account of what pickle kept."""
    from ._cbpii import Account

    return Account(**facts) if "iban" in facts else Account.other(**facts)


def funds_request(facts: "dict[str, Any]") -> "FundsRequest":
    """A request of what pickle kept."""
    from ._cbpii import FundsRequest

    return FundsRequest(**facts)
