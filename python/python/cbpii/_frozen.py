"""Frozen dataclasses that cost next to nothing when a program starts.

The module ``dataclasses`` takes longer to import than all a first call needs besides, and then compiles methods for every
class. Type checkers see its decorator; this one, which runs, makes classes that behave the same. Objects are made of their
fields at once; whatever else is asked of a class (comparing, showing, hashing, ``dataclasses.fields``) first has
``dataclasses`` make it.
"""

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LATER = (
    "__dataclass_fields__",
    "__dataclass_params__",
    "__eq__",
    "__hash__",
    "__replace__",
    "__repr__",
    "__signature__",
)
_making = _thread.RLock()


class _Options:
    """What ``dataclasses.field`` is called with."""

    def __init__(self, options: "dict[str, Any]") -> None:
        self.options = options


def field(**options: object) -> "Any":
    """``dataclasses.field``."""
    return _Options(options)


class _Later:
    """An attribute that ``dataclasses`` makes when it is asked for."""

    def __init__(self, name: str, make: "Callable[[], None]") -> None:
        self._name = name
        self._make = make

    def __get__(self, instance: object, owner: type) -> "Any":
        self._make()
        # What dataclasses of this Python does not make is not there any more.
        return getattr(owner if instance is None else instance, self._name)


def dataclass(*, frozen: bool) -> "Callable[[type], type]":
    """``dataclasses.dataclass(frozen=True)``, for classes that inherit no fields."""
    assert frozen
    return _prepared


def _prepared(cls: type) -> type:
    names = tuple(cls.__annotations__)
    count = len(names)
    defaults = {name: vars(cls)[name] for name in names if name in vars(cls)}
    later = [name for name in _LATER if name not in vars(cls)]

    def make() -> None:
        with _making:
            if vars(cls)["__init__"] is init:
                _finish(cls, defaults, later)

    def init(self: object, /, *values: object, **named: object) -> None:
        if not named and len(values) == count:
            self.__dict__.update(zip(names, values, strict=True))
            return
        # Names, defaults, or a mistake.
        make()
        vars(cls)["__init__"](self, *values, **named)

    def refuse(self: object, name: str, *value: object) -> None:
        if type(self) is cls or name in names:
            from dataclasses import FrozenInstanceError

            raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")
        (object.__setattr__ if value else object.__delattr__)(self, name, *value)

    for name, default in defaults.items():
        if isinstance(default, _Options):
            delattr(cls, name)
            if "default" in default.options:
                setattr(cls, name, default.options["default"])
    own = {"__init__": init, "__setattr__": refuse, "__delattr__": refuse, "__match_args__": names}
    for name, value in {**own, **{name: _Later(name, make) for name in later}}.items():
        setattr(cls, name, value)
    return cls


def _finish(cls: type, defaults: "dict[str, Any]", later: "list[str]") -> None:
    """Gives a class what ``dataclasses`` makes for a twin with the same fields."""
    import dataclasses

    facts = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__annotations__": cls.__annotations__}
    for name, default in defaults.items():
        facts[name] = dataclasses.field(**default.options) if isinstance(default, _Options) else default
    twin = vars(dataclasses.dataclass(frozen=True)(type(cls.__name__, (), facts)))
    for name in later:
        if name in twin:
            setattr(cls, name, twin[name])
        else:
            delattr(cls, name)
    setattr(cls, "__init__", twin["__init__"])  # noqa: B010
