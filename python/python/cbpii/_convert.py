"""Moments and durations, as the extension counts them: in milliseconds and microseconds."""

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = (datetime.min.replace(tzinfo=timezone.utc) - _EPOCH) // _MILLISECOND
_LAST = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime:
    """The moment so many milliseconds after 1970, in UTC; one Python cannot express becomes the nearest it can."""
    return _EPOCH + timedelta(milliseconds=min(max(milliseconds, _FIRST), _LAST))


def milliseconds(moment: datetime) -> int | None:
    """Milliseconds since 1970; None for a moment without a time zone."""
    if not isinstance(moment, datetime):
        raise TypeError(f"a datetime is needed, not {type(moment).__name__}")
    if moment.utcoffset() is None:
        return None
    return (moment - _EPOCH) // _MILLISECOND


def moment_of_text(text: str) -> datetime:
    """A moment of RFC 3339 in UTC."""
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00").astimezone(timezone.utc)


def seconds(duration: timedelta | float) -> float:
    """A duration in seconds."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise TypeError(f"a duration is a timedelta or a number of seconds, not {type(duration).__name__}")
    return float(duration)
