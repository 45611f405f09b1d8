"""Which libraries are asked, and with what token."""

from pydantic import Field

from coordinator.adapters.providers.options import MIB, HttpOptions, Options


class Thingiverse(HttpOptions):
    """A token of an app: thingiverse.com/apps/create."""

    base_url: str = "https://api.thingiverse.com"


class MyMiniFactory(HttpOptions):
    """An OAuth2 access token of an account: myminifactory.com/settings/developer."""

    base_url: str = "https://www.myminifactory.com/api/v2"


class Sketchfab(HttpOptions):
    """The API token of an account: sketchfab.com/settings/password."""

    base_url: str = "https://api.sketchfab.com/v3"


class Printables(HttpOptions):
    """What its own page asks; there is no official way in, so it is asked only where told to be."""

    base_url: str = "https://api.printables.com/graphql"
    enabled: bool = False


class LinkOptions(Options):
    """All of them; a library without a token is not asked.

    Attributes:
        download_bytes_max: the longest file that is fetched; `download_s`: how long one may take.
        models_max: how many models one link may lead to; of one answer eight at most are fetched.
    """

    title: str = "Links"
    thingiverse: Thingiverse = Field(default_factory=Thingiverse)
    myminifactory: MyMiniFactory = Field(default_factory=MyMiniFactory)
    sketchfab: Sketchfab = Field(default_factory=Sketchfab)
    printables: Printables = Field(default_factory=Printables)
    download_bytes_max: int = Field(default=512 * MIB, gt=0)
    download_s: float = Field(default=900.0, gt=0)
    models_max: int = Field(default=8, gt=0, le=8)
