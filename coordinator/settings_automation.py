"""What a coordinator can be told about programs beside it that speak MQTT, Home Assistant first."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coordinator.domain.automation.topics import is_root
from coordinator.domain.homeassistant.verbs import Armed

# With a dot, which no agent's name has: so what agents may do is never theirs.
_USER = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


class AutomationSettings(BaseSettings):
    """The part of the settings that is about Home Assistant and other programs."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    automation: bool = False
    """Tell programs of the farm over MQTT, and do what they ask with a key."""

    automation_root: str = "farmhand/farm"
    """What the topics of that begin with; each farm at one broker needs its own."""

    automation_users: dict[str, SecretStr] = Field(default_factory=dict, repr=False)
    """Whom the started broker lets in for it, by name, which has a dot, and password:
    {"home.assistant": "..."}."""

    homeassistant: Literal["off", "device", "component"] = "off"
    """Have Home Assistant discover the farm: device from its 2024.12 on, component with all
    versions; automation comes with it."""

    homeassistant_armed: list[Armed] = Field(default_factory=list)
    """What Home Assistant may ask beside pause, resume and pictures: cancel, clear, emergency_stop,
    heat, tune, move, service, material, update."""

    homeassistant_prefix: str = "homeassistant"
    """Where Home Assistant looks for devices."""

    homeassistant_broker_url: str = ""
    """Its broker, and that of all of these programs, where it is not the farm's:
    mqtt://HOST:1883 or mqtts://HOST:8883."""

    homeassistant_broker_username: str = Field(default="", pattern=r"^[^:\s]*$")
    """How the farm logs in there."""

    homeassistant_broker_password: SecretStr = SecretStr("")
    """Goes with the username; better given as a credential or in the environment."""

    homeassistant_broker_ca_file: str = ""
    """Certificate of the authority of that broker."""

    @property
    def automates(self) -> bool:
        """Whether programs are told anything at all."""
        return self.automation or self.homeassistant != "off"

    @field_validator("automation_root", "homeassistant_prefix")
    @classmethod
    def _is_topic(cls, value: str) -> str:
        if not is_root(value):
            raise ValueError("write words of A-Z, a-z, 0-9, _ and -, with / between them")
        return value

    @field_validator("automation_users")
    @classmethod
    def _are_users(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, password in value.items():
            if not _USER.fullmatch(name) or name.startswith("coordinator."):
                raise ValueError(f"{name!r} needs a dot in it, as home.assistant has")
            if not password.get_secret_value():
                raise ValueError(f"{name} needs a password")
        return value

    @model_validator(mode="after")
    def _both_of_that_broker(self) -> "AutomationSettings":
        password = self.homeassistant_broker_password.get_secret_value()
        if bool(self.homeassistant_broker_username) != bool(password):
            raise ValueError(
                "homeassistant_broker_username and homeassistant_broker_password go together: "
                "set both or none"
            )
        return self
