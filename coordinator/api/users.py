"""The routes of users and keys."""

from aiohttp import web

from coordinator.api.account_documents import (
    EndedDocument,
    KeyDocument,
    NewKeyDocument,
    UserDocument,
    key_document,
    user_document,
)
from coordinator.api.account_forms import (
    KeyForm,
    KeysQuery,
    NewPasswordForm,
    QuotaForm,
    UserChangeForm,
    UserForm,
)
from coordinator.api.asking import CALLER, FARM, GATE, asked, origin_of, taken, who
from coordinator.api.documents import Items
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.accounts import KeyId
from coordinator.usecases import sessions, users
from coordinator.usecases.users import Quota


async def list_users(request: web.Request) -> web.Response:
    """Return all users, by name."""
    found = await users.all_users(request.app[FARM])
    return web.json_response({"items": [user_document(user) for user in found]})


async def show_user(request: web.Request) -> web.Response:
    """Return one user."""
    user = await users.user_named(request.app[FARM], request.match_info["name"])
    return web.json_response(user_document(user))


async def add_user(request: web.Request) -> web.Response:
    """Make a user; 201."""
    form = taken(request, UserForm)
    user = await users.add_user(
        request.app[GATE],
        form.name,
        form.role,
        *who(request),
        password=form.password,
        quota=_quota(form.quota),
    )
    location = {"Location": f"{_USERS}/{user.name}"}
    return web.json_response(user_document(user), status=201, headers=location)


async def change_user(request: web.Request) -> web.Response:
    """Change a user's role or quota, or disable or enable them."""
    form = taken(request, UserChangeForm)
    user = await users.change_user(
        request.app[FARM],
        request.match_info["name"],
        *who(request),
        role=form.role,
        disabled=form.disabled,
        quota=_quota(form.quota) if form.quota is not None else None,
    )
    return web.json_response(user_document(user))


async def remove_user(request: web.Request) -> web.Response:
    """Take all of a user's ways in away; the name stays taken, for history."""
    user = await users.remove_user(request.app[FARM], request.match_info["name"], *who(request))
    return web.json_response(user_document(user))


async def set_password(request: web.Request) -> web.Response:
    """Give a user another password; everything that they are logged in with ends."""
    form = taken(request, NewPasswordForm)
    user = await users.user_named(request.app[FARM], request.match_info["name"])
    await sessions.set_password(request.app[GATE], user, form.password, *who(request))
    return web.json_response(user_document(user))


async def list_keys(request: web.Request) -> web.Response:
    """Return keys; `?user=anna` hers; without it one's own, or all for an administrator."""
    name = asked(request, KeysQuery).user
    found = await users.keys_of(request.app[FARM], request[CALLER], name)
    return web.json_response({"items": [key_document(*each) for each in found]})


async def create_key(request: web.Request) -> web.Response:
    """Make a key; 201, and only this once with it in full, as `key`."""
    form = taken(request, KeyForm)
    key, user, shown = await users.create_key(
        request.app[FARM],
        request[CALLER],
        form.name,
        origin_of(request),
        of=form.user,
        scopes=tuple(form.scopes),
        expires_at=form.expires_at,
    )
    document: NewKeyDocument = {**key_document(key, user, None), "key": shown}
    return web.json_response(document, status=201)


async def revoke_key(request: web.Request) -> web.Response:
    """Make a key useless: one's own, or for an administrator anybody's."""
    key_id = KeyId(request.match_info["key_id"])
    await users.revoke_key(request.app[FARM], request[CALLER], key_id, origin_of(request))
    return web.json_response({"id": key_id})


def _quota(form: QuotaForm) -> Quota:
    return Quota(jobs_open_max=form.jobs_open_max, grams_per_month=form.grams_per_month)


_USERS = f"{API_ROOT}/users"
_USER = f"{_USERS}/{{name}}"
_KEYS = f"{API_ROOT}/keys"
_ADMIN, _OWN = Permission.FARM_ADMIN, Permission.ACCOUNT_OWN

_UNKNOWN = ("unknown_user",)

ROUTES = (
    Route(method="GET", path=_USERS, handler=list_users, needs=_ADMIN, gives=Items[UserDocument]),
    Route(
        method="POST",
        path=_USERS,
        handler=add_user,
        needs=_ADMIN,
        takes=UserForm,
        gives=UserDocument,
        status=201,
        problems=("name_unfit", "name_taken", "password_unfit"),
    ),
    Route(
        method="GET",
        path=_USER,
        handler=show_user,
        needs=_ADMIN,
        gives=UserDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="PATCH",
        path=_USER,
        handler=change_user,
        needs=_ADMIN,
        takes=UserChangeForm,
        gives=UserDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="DELETE",
        path=_USER,
        handler=remove_user,
        needs=_ADMIN,
        gives=UserDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{_USER}/password",
        handler=set_password,
        needs=_ADMIN,
        takes=NewPasswordForm,
        gives=UserDocument,
        problems=(*_UNKNOWN, "password_unfit"),
    ),
    Route(
        method="GET",
        path=_KEYS,
        handler=list_keys,
        needs=_OWN,
        asks=KeysQuery,
        gives=Items[KeyDocument],
        problems=(*_UNKNOWN, "not_your_account"),
    ),
    Route(
        method="POST",
        path=_KEYS,
        handler=create_key,
        needs=_OWN,
        takes=KeyForm,
        gives=NewKeyDocument,
        status=201,
        problems=(
            *_UNKNOWN,
            "expiry_past",
            "name_taken",
            "name_unfit",
            "not_your_account",
            "scope_too_wide",
            "too_many_keys",
        ),
    ),
    Route(
        method="DELETE",
        path=f"{_KEYS}/{{key_id}}",
        handler=revoke_key,
        needs=_OWN,
        gives=EndedDocument,
        problems=("unknown_key", "not_your_account"),
    ),
)
