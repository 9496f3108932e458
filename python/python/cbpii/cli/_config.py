"""The configuration: one TOML file, and environment variables on top."""

import base64
import binascii
import os
import re
import sys
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..enums import Environment, TrustMode
from ..errors import CbpiiError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "cbpii.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IdentityFiles(_Section):
    """A certificate and its key: two files, or one keystore."""

    certificate: Path | None = None
    """PEM with its chain, or DER."""
    key: Path | None = None
    """PEM or DER."""
    keystore: Path | None = None
    """PKCS#12, instead of the two."""
    password_env: str | None = None
    """The environment variable that holds the password of the key or of the keystore."""


class SealFiles(IdentityFiles):
    """The QSealC."""

    key_id: str | None = None
    """The whole keyId of signatures, when the bank wants another than its record makes."""


class IssuerSection(_Section):
    """``[issuer]``: the card issuer."""

    client_id: str
    redirect_uri: str
    client_secret_env: str | None = None
    transport: IdentityFiles | None = None
    seal: SealFiles | None = None


class BankSection(_Section):
    """``[banks.ID]``: a bank of one's own, or what differs from the directory's record of this id."""

    record: Path | None = None
    """A record as JSON (:meth:`cbpii.Bank.from_json`)."""
    origin: str | None = None
    trust_anchors: tuple[Path, ...] = ()
    trust_mode: TrustMode = TrustMode.ADD
    client_id: str | None = None
    client_secret_env: str | None = None
    redirect_uri: str | None = None


class StoreSection(_Section):
    """``[store]``: where consents are kept."""

    url: str = ""
    key_file: Path | None = None
    key_env: str = "CBPII_STORE_KEY"


class OptionsSection(_Section):
    """``[options]``: how calls are made."""

    timeout: float = Field(default=10.0, gt=0)
    connect_timeout: float = Field(default=5.0, gt=0)
    retries: int = Field(default=1, ge=0, le=5)
    proxy_env: str | None = None
    max_in_flight: int = Field(default=16, ge=1, le=256)
    renew_before_days: int = Field(default=14, ge=0, le=3650)


class Config(_Section):
    """The whole file."""

    environment: Environment = Environment.PRODUCTION
    bank: str | None = None
    pending_folder: Path | None = None
    issuer: IssuerSection | None = None
    banks: dict[str, BankSection] = Field(default_factory=dict[str, BankSection])
    store: StoreSection = StoreSection()
    options: OptionsSection = OptionsSection()


Kept = TypeVar("Kept", bound=_Section)


def load(named: Path | None) -> Config:
    """The configuration: of the file that is named, or else found, with the environment variables on top."""
    path = named or _found()
    if path is None:
        return _with_environment(Config())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise problem(f"The configuration {path} cannot be read: {error}.") from error
    try:
        config = Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise problem(f"The configuration {path} is not TOML: {error}.") from error
    except ValidationError as error:
        raise problem(f"The configuration {path} cannot be used: {_sentence(error)}.") from None
    return _with_environment(_resolved(config, path.absolute().parent))


def _found() -> Path | None:
    places = [Path(FILE_NAME), platformdirs.user_config_path("cbpii") / FILE_NAME]
    return next((place for place in places if place.is_file()), None)


def _sentence(error: ValidationError) -> str:
    # Only where and what: a value may be a secret that was put into the wrong place.
    parts = [f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors(include_input=False)]
    return "; ".join(parts)


def _resolved(section: Kept, folder: Path) -> Kept:
    """The section with its paths, which are relative to the file's own folder."""
    return section.model_copy(update={name: _at(folder, value) for name, value in section})


def _at(folder: Path, value: Any) -> Any:
    if isinstance(value, Path):
        return folder / value.expanduser()
    if isinstance(value, StoreSection):
        return _resolved(value, folder).model_copy(update={"url": _store_url(value.url, folder)})
    if isinstance(value, _Section):
        return _resolved(value, folder)
    if isinstance(value, tuple):
        return tuple(_at(folder, one) for one in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {key: _at(folder, one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def _store_url(url: str, folder: Path) -> str:
    """A path is relative to the folder; a URL (``sqlite:///…``) stays as it is."""
    return str(folder / Path(url).expanduser()) if url and "://" not in url and url != "memory" else url


def _with_environment(config: Config) -> Config:
    changes: dict[str, Any] = {}
    if environment := os.environ.get("CBPII_ENVIRONMENT"):
        try:
            changes["environment"] = Environment(environment)
        except ValueError:
            known = ", ".join(Environment)
            raise problem(f"CBPII_ENVIRONMENT is {environment!r}; it can be {known}.") from None
    if bank := os.environ.get("CBPII_BANK"):
        changes["bank"] = bank
    if url := os.environ.get("CBPII_STORE"):
        changes["store"] = config.store.model_copy(update={"url": url})
    return config.model_copy(update=changes)


def problem(sentence: str) -> CbpiiError:
    """An error of the configuration."""
    return CbpiiError("configuration.option", sentence)


def misuse(sentence: str) -> CbpiiError:
    """An error of what was given to the command."""
    return CbpiiError("request.argument", sentence)


def of_environment(name: str, what: str) -> str:
    """The value of an environment variable the configuration names."""
    value = os.environ.get(name)
    if not value:
        raise problem(f"The environment variable {name}, which holds {what}, is not set.")
    return value


def store_key(store: StoreSection) -> bytes:
    """The 32 bytes that seal the store: of the key file, or else of the environment variable."""
    if store.key_file is None:
        return _key_of_text(of_environment(store.key_env, "the key of the consent store"), store.key_env)
    try:
        content = store.key_file.read_bytes()
    except OSError as error:
        raise problem(
            f"The key of the consent store cannot be read: {error}. To make one: openssl rand -hex 32 > {store.key_file}"
        ) from error
    return content if len(content) == 32 else _key_of_text(content.decode("ascii", "replace"), str(store.key_file))


def _key_of_text(text: str, where: str) -> bytes:
    text = text.strip()
    if re.fullmatch("[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise problem(
            f"What {where} holds is no key of the consent store: 32 random bytes, as 64 hexadecimal digits or as base64. "
            "To make one: openssl rand -hex 32"
        )
    return key
