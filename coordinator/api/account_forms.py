"""What requests about accounts bring, checked."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coordinator.domain.access import Permission, Role

NAME_CHARACTERS_MAX = 64
SECRET_CHARACTERS_MAX = 1024
SCOPES_MAX = 32
JOBS_OPEN_MAX = 100_000
GRAMS_MAX = 1e9


# Nothing that no name has reaches the database, which may not hold it.
_NO_CONTROLS = r"^[^\x00-\x1f]*$"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class LogInForm(_Form):
    """Who somebody says they are."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, pattern=_NO_CONTROLS)
    password: str = Field(min_length=1, max_length=SECRET_CHARACTERS_MAX)


class PasswordForm(_Form):
    """Another password, by who knows the one of today."""

    old: str = Field(min_length=1, max_length=SECRET_CHARACTERS_MAX)
    new: str = Field(min_length=1, max_length=SECRET_CHARACTERS_MAX)


class NewPasswordForm(_Form):
    """Another password, by an administrator."""

    password: str = Field(min_length=1, max_length=SECRET_CHARACTERS_MAX)


class RefreshForm(_Form):
    """A token that new ones are given for."""

    refresh_token: str = Field(min_length=1, max_length=SECRET_CHARACTERS_MAX, pattern=_NO_CONTROLS)


class QuotaForm(_Form):
    """How much somebody may take; null for as much as they like."""

    jobs_open_max: int | None = Field(default=None, ge=0, le=JOBS_OPEN_MAX)
    grams_per_month: float | None = Field(default=None, ge=0, le=GRAMS_MAX)


class UserForm(_Form):
    """A new user; without a password who only has keys."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, pattern=_NO_CONTROLS)
    role: Role
    password: str = Field(default="", max_length=SECRET_CHARACTERS_MAX)
    quota: QuotaForm = Field(default_factory=QuotaForm)


class UserChangeForm(_Form):
    """What is to be changed of a user; what is absent or null stays."""

    role: Role | None = None
    disabled: bool | None = None
    quota: QuotaForm | None = None


class KeyForm(_Form):
    """A new key; `user` is whose, `scopes` what it may do: all that its maker may if empty."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, pattern=_NO_CONTROLS)
    user: str = Field(default="", max_length=NAME_CHARACTERS_MAX, pattern=_NO_CONTROLS)
    scopes: list[Permission] = Field(default_factory=list, max_length=SCOPES_MAX)
    expires_at: AwareDatetime | None = None


class KeysQuery(_Form):
    """Whose keys; empty for one's own, or all for an administrator."""

    user: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
