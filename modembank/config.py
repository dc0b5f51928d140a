"""Settings: defaults, then a TOML file, then the environment. The only place that reads either.

`MODEMBANK_CONFIG` (or `--config`) names the file. Each setting is also an environment variable: prefix `MODEMBANK_`,
two underscores between levels, for example `MODEMBANK_HTTP__PORT=8090`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from modembank.errors import SettingsError

CONFIG_VARIABLE = "MODEMBANK_CONFIG"
PIN_KEYS_CREDENTIAL = "modembank.keys"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(_Section):
    """Where the API and the pages are served."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    allowed_origins: tuple[str, ...] = Field(
        (),
        description="Other web origins whose pages may use the API (CORS), for example https://crm.example.",
    )


class DatabaseSettings(_Section):
    """Where records are kept."""

    url: str = Field(
        "",
        description="SQLAlchemy URL (sqlite+aiosqlite:///… or postgresql+asyncpg://…); empty: "
        "modembank.db in data_dir.",
    )


class ModemSettings(_Section):
    """One entry of serial.modems: what only a person knows of a modem."""

    at: Path | None = Field(None, description="Path of the plain serial port that the modem is on.")
    usb_path: str | None = Field(None, description="Or its place in the USB topology, as `modembank detect` shows it.")
    family: str = Field("generic", description="Family of a modem on a serial port.")
    baud: int = Field(115_200, ge=1200, le=4_000_000, description="Speed of the serial port.")
    audio: str | None = Field(
        None,
        pattern=r"^\S+$",
        description="ALSA name of the sound card that is wired to it, or none: calls are silent.",
    )

    @model_validator(mode="after")
    def _is_one_modem(self) -> Self:
        if (self.at is None) is (self.usb_path is None):
            raise ValueError("name either at, a serial port, or usb_path, a place on USB")
        if self.usb_path is not None and self.audio is None:
            raise ValueError("name the audio of a modem on USB; all else is found by itself")
        return self


class SerialSettings(_Section):
    """How modems are found and spoken to."""

    backend: Literal["serialx", "pyserial-asyncio"] = Field(
        "serialx", description="Serial library; pyserial-asyncio refuses more than 150 ports a process."
    )
    sysfs_root: Path = Field(Path("/sys"), description="Root of sysfs; an emulator brings its own.")
    dev_root: Path = Field(Path("/dev"), description="Folder of the device nodes.")
    chassis: Path | None = Field(None, description="File that names the rack's slots; see hardware/chassis.")
    patience: float = Field(
        1.0,
        ge=0.01,
        le=10,
        description="Factor on every wait for a modem: deadlines of commands and calls, steps of healing, quarantine. "
        "More for slow modems, less for tests.",
    )
    rescan_s: float = Field(3.0, ge=0.2, le=60, description="Seconds between two looks for new or gone modems.")
    modems: tuple[ModemSettings, ...] = Field(
        (), description="Modems on plain serial ports, and sound cards that are wired to modems."
    )


class IceServer(_Section):
    """One entry of RTCConfiguration.iceServers (W3C WebRTC section 4.2.4)."""

    urls: tuple[Annotated[str, Field(pattern=r"^(stun|stuns|turn|turns):\S+$")], ...] = Field(
        description="stun:, stuns:, turn: or turns: URLs."
    )
    username: str | None = Field(None, description="TURN user name.")
    credential: str | None = Field(None, description="TURN password.")


class MediaSettings(_Section):
    """The voice path."""

    engine: Literal["auto", "native", "python"] = Field(
        "auto",
        description="What carries the packets: the C core, Python, or the C core where it was built (auto).",
    )
    codecs: tuple[Literal["PCMA", "PCMU", "opus", "G722"], ...] = Field(
        ("PCMA", "PCMU", "opus", "G722"),
        description="Codecs in order of preference; G.711 is what GSM audio fits. For sound of 16 kHz, opus and "
        "G722 come first.",
    )
    wideband: bool = Field(
        True, description="Ask modems for 16 kHz sound where their family has it; false keeps all at 8 kHz."
    )
    ice_servers: tuple[IceServer, ...] = Field((), description="STUN and TURN servers, none by default.")
    ringback: bool = Field(True, description="Generate a ringing tone while the network sends none.")
    connect_timeout_s: float = Field(10.0, gt=0, le=60, description="Seconds for ICE and DTLS to come up.")
    silent_after_s: float = Field(5.0, gt=0, description="Seconds without RTP until the peer counts as silent.")
    lost_after_s: float = Field(15.0, gt=0, description="Seconds without RTP until the call is released.")
    quiet_after_s: float = Field(
        10.0, gt=0, description="Seconds of digital silence in one direction of a call until call.quiet says so."
    )


class CallSettings(_Section):
    """Limits of a call."""

    answer_timeout_s: float = Field(60.0, ge=5, le=120, description="Seconds from ATD to answer by default.")
    max_duration_s: float = Field(3600.0, ge=1, le=86_400, description="Longest call in seconds.")
    media_first: bool = Field(
        True,
        description="With an SDP offer: dial only after the browser's media is up, so that a broken "
        "path costs nothing.",
    )
    blacklist_first_s: float = Field(
        600.0,
        ge=1,
        le=86_400,
        description="Seconds that a SIM leaves a number alone which its modem refuses after failed tries; twice as "
        "long with each further refusal.",
    )
    blacklist_most_s: float = Field(21_600.0, ge=1, le=604_800, description="Longest of these waits in seconds.")
    emergency_numbers: bool = Field(False, description="Let emergency numbers through. Read docs first.")
    short_codes: tuple[Annotated[str, Field(pattern=r"^[0-9]{3,8}$")], ...] = Field(
        (), description="Operator service numbers (3 to 8 digits) that may be dialled."
    )


class MessageSettings(_Section):
    """Short messages."""

    delivery_reports: bool = Field(True, description="Ask for delivery reports unless a request says otherwise.")
    short_codes: tuple[Annotated[str, Field(pattern=r"^[0-9]{3,8}$")], ...] = Field(
        (), description="Service numbers (3 to 8 digits) that may be sent messages."
    )
    max_parts: int = Field(10, ge=1, le=255, description="Most SMS that one message may take; each is paid for.")
    retries: int = Field(3, ge=0, le=10, description="Further tries when the network is busy.")
    retry_s: float = Field(5.0, gt=0, le=600, description="Seconds before the first further try; then twice as long.")
    give_up_after_s: float = Field(
        3600.0, ge=1, le=604_800, description="Seconds after which a message that could not be sent fails."
    )
    partial_after_s: float = Field(
        300.0, ge=1, le=86_400, description="Seconds after which a long message that lacks a part is told of."
    )


class UssdSettings(_Section):
    """USSD codes; none may be sent unless it is listed."""

    codes: tuple[Annotated[str, Field(pattern=r"^[*#][0-9*#]*(\{digits\}[0-9*#]*)?#$", max_length=64)], ...] = Field(
        (),
        description="Codes that may be sent, like *100#; {digits} stands for 1 to 20 digits, as in *101*{digits}#. "
        "Codes that divert or bar calls or change a PIN are refused even so.",
    )


class UssdRule(_Section):
    """A code that one operator answers, and what to read in the answer."""

    plmn: str = Field(pattern=r"^[0-9]{5,6}$", description="The operator: MCC and MNC, as in 00101.")
    code: str = Field(pattern=r"^[*#][0-9*#]+#$", max_length=32, description="The USSD code to send.")


class BalanceRule(UssdRule):
    """How one operator tells a balance."""

    pattern: str = Field(description="Regular expression; its group `amount` is the number.")
    unit: str = Field(max_length=16, description="Unit of the amount, like GBP or MB.")

    @field_validator("pattern")
    @classmethod
    def _has_amount(cls, value: str) -> str:
        return _with_group(value, "amount")


class NumberRule(UssdRule):
    """How one operator tells a SIM its own number."""

    pattern: str = Field(description="Regular expression; its group `number` is the SIM's own number.")

    @field_validator("pattern")
    @classmethod
    def _has_number(cls, value: str) -> str:
        return _with_group(value, "number")


def _with_group(pattern: str, group: str) -> str:
    """The pattern, if it is one that has the group. Raises ValueError."""
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    if group not in groups:
        raise ValueError(f"the regular expression lacks the group (?P<{group}>…)")
    return pattern


class BalanceSettings(_Section):
    """The balances of the SIMs."""

    rules: tuple[BalanceRule, ...] = Field((), description="One rule for each operator.")
    refresh_h: float = Field(0.0, ge=0, le=8760, description="Hours between two looks at each balance; 0 means never.")


class SelftestSettings(_Section):
    """What `modembank selftest` lets pass. The defaults fit a sound 2G to 4G call; tones are sent at -10 dBm0."""

    set_up_max_s: float = Field(15.0, gt=0, description="Most seconds from the dial until the other phone rings.")
    answer_max_s: float = Field(3.0, gt=0, description="Most seconds between the two lines' news of the answer.")
    hang_up_max_s: float = Field(5.0, gt=0, description="Most seconds until the other line knows of a hang-up.")
    level_min_dbm0: float = Field(-22.0, description="Softest test tone that may arrive.")
    level_max_dbm0: float = Field(-3.0, description="Loudest test tone that may arrive.")
    response_max_db: float = Field(
        10.0, gt=0, description="Most difference to 1000 Hz between 500 and 2500 Hz; below and above, 10 dB more loss."
    )
    delay_max_ms: float = Field(400.0, gt=0, description="Longest delay one way (ITU-T G.114 calls more unusable).")
    drop_out_max_percent: float = Field(1.0, ge=0, description="Most of a tone that may be missing.")
    slips_max: int = Field(3, ge=0, description="Most frames left out or repeated in the test tone.")
    noise_max_dbm0: float = Field(-40.0, description="Loudest noise while nobody speaks.")
    echo_min_db: float = Field(20.0, description="Least loss of a speaker's own echo.")
    speech_min_match: float = Field(0.4, ge=0, le=1, description="Least share of the speech that must be recognised.")
    stood_still_max_ms: float = Field(
        60.0,
        gt=0,
        description="Longest standstill of the testing machine; beyond, it speaks again, and blames no line for holes.",
    )
    pesq_min: float = Field(2.3, ge=1, le=4.5, description="Worst PESQ score (MOS-LQO), where PESQ is installed.")


Plmn = Annotated[str, Field(pattern=r"^[0-9]{5,6}$")]


class OperatorRule(_Section):
    """Which operators the SIMs with one tag may use; what is absent follows the bank."""

    tag: str = Field(description="The SIMs' tag.")
    roaming: bool | None = Field(None, description="Whether they may call while roaming.")
    allowed_operators: tuple[Plmn, ...] = Field((), description="PLMNs they may call through; empty: any.")
    forbidden_operators: tuple[Plmn, ...] = Field((), description="PLMNs they may not call through.")


class SimSettings(_Section):
    """Care for SIM cards."""

    key_file: Path | None = Field(
        None,
        description="File with the keys that PINs are sealed with; empty: the systemd credential modembank.keys, "
        "else pin.keys in data_dir.",
    )
    roaming: bool = Field(False, description="Whether SIMs may place calls while roaming.")
    allowed_operators: tuple[Plmn, ...] = Field((), description="PLMNs that SIMs may call through; empty: any.")
    forbidden_operators: tuple[Plmn, ...] = Field((), description="PLMNs that SIMs may not call through.")
    rules: tuple[OperatorRule, ...] = Field((), description="Exceptions by tag; the first that fits a SIM counts.")
    number_rules: tuple[NumberRule, ...] = Field(
        (), description="How operators tell a SIM its own number; asked when neither a person nor the card did."
    )
    forwarding_first_s: float = Field(
        60.0, ge=0, le=3600, description="About so many seconds after a SIM is ready its call forwarding is read."
    )
    forwarding_every_s: float = Field(
        86_400.0, ge=3600, description="Seconds until it is read again; each reading is a question to the network."
    )
    history_step_s: float = Field(300.0, ge=10, le=86_400, description="Seconds between two samples of the signal.")
    history_days: int = Field(30, ge=1, le=3650, description="Days that signal and registration are remembered.")


class Settings(BaseSettings):
    """All settings of a modembank process."""

    model_config = SettingsConfigDict(env_prefix="MODEMBANK_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data_dir: Path = Field(
        Path.home() / ".local/share/modembank", description="Folder for the database and other state."
    )
    country: str = Field(
        "GB",
        pattern=r"^[A-Z]{2}$",
        description="ISO 3166-1 country of the bank: national numbers and ringing tones.",
    )
    host_id: str = Field("host_local", description="Name of the host that runs in this process.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG shows lines on the wire, with numbers."
    )
    http: HttpSettings = HttpSettings()
    database: DatabaseSettings = DatabaseSettings()
    serial: SerialSettings = SerialSettings()
    media: MediaSettings = MediaSettings()
    calls: CallSettings = CallSettings()
    messages: MessageSettings = MessageSettings()
    ussd: UssdSettings = UssdSettings()
    balance: BalanceSettings = BalanceSettings()
    selftest: SelftestSettings = SelftestSettings()
    sims: SimSettings = SimSettings()

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("country")
    @classmethod
    def _has_a_numbering_plan(cls, value: str) -> str:
        from phonenumbers import SUPPORTED_REGIONS  # large, and most commands never read a setting

        if value not in SUPPORTED_REGIONS:
            raise ValueError("no such country; write its ISO 3166-1 code, for example GB")
        return value

    @property
    def database_url(self) -> str:
        """The database URL with the default filled in."""
        return self.database.url or f"sqlite+aiosqlite:///{self.data_dir / 'modembank.db'}"

    @property
    def pin_key_file(self) -> Path:
        """Where the keys that PINs are sealed with are. Source: systemd.exec(5), CREDENTIALS_DIRECTORY."""
        if self.sims.key_file is not None:
            return self.sims.key_file
        credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / PIN_KEYS_CREDENTIAL
        return credential if credential.is_file() else self.data_dir / "pin.keys"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        toml = TomlConfigSettingsSource(settings_cls, _config_file())
        return init_settings, env_settings, toml


def _config_file() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else None


# Read by the command line and by us, but no settings.
_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "MODEMBANK_URL", "MODEMBANK_API_KEY"})


def unknown_variables() -> tuple[str, ...]:
    """Return the environment variables that look like settings of ours and are none: misspelt ones, mostly."""
    known = {f"MODEMBANK_{name}".upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            known |= {f"MODEMBANK_{name}__{inner}".upper() for inner in field.annotation.model_fields}
    ours = {name for name in os.environ if name.startswith("MODEMBANK_")}
    return tuple(sorted(ours - known - _OTHER_VARIABLES))


def load_settings(**overrides: object) -> Settings:
    """Read and check all settings.

    Raises:
        SettingsError: one sentence that names the setting, the value's problem and where to mend it.
    """
    path = _config_file()
    if path is not None and not path.is_file():
        raise SettingsError(f"the settings file {path} does not exist; mend {CONFIG_VARIABLE} or --config")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # validated by pydantic right here
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        variable = f"MODEMBANK_{name.replace('.', '__').upper()}"
        raise SettingsError(f"setting {name}: {first['msg']}; mend it in the settings file or {variable}") from None
    except ValueError as error:
        raise SettingsError(f"the settings file {path} is not valid TOML: {error}") from None
