"""Libraries of models as their APIs answer, and a server of files that stands for any other."""

from typing import Any

from aiohttp import web

from tests.fakes.troubled_server import TroubledServer


class FilesServer(TroubledServer):
    """Gives files by their paths; remembers who showed what."""

    def __init__(self, **files: bytes) -> None:
        super().__init__()
        self.files = dict(files)
        self.app.router.add_get("/{name:.*}", self._file)

    async def _file(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"])
        return web.Response(status=404) if found is None else web.Response(body=found)


class LibraryServers(TroubledServer):
    """Thingiverse, MyMiniFactory, Sketchfab and Printables below one address.

    `model` says what each has: `name`, `files` (name to bytes), `price`, `closed`.
    """

    token = "library-token"

    def __init__(self, cdn: FilesServer) -> None:
        super().__init__()
        self.cdn = cdn
        self.name = "A hook"
        self.files: dict[str, bytes] = {}
        self.price: float = 0
        self.closed = False
        add = self.app.router.add_route
        add("GET", "/thingiverse/things/{id}", self._thing)
        add("GET", "/thingiverse/things/{id}/files", self._thing_files)
        add("GET", "/thingiverse/files/{name}/download", self._leads_on)
        add("GET", "/mmf/objects/{id}", self._object)
        add("GET", "/mmf/download/{name}", self._own_file)
        add("GET", "/sketchfab/models/{id}", self._sketch)
        add("GET", "/sketchfab/models/{id}/download", self._sketch_files)
        add("POST", "/printables/", self._graphql)

    @property
    def settings(self) -> dict[str, Any]:
        def at(path: str) -> dict[str, Any]:
            return {"base_url": f"{self.url}/{path}", "api_key": self.token, "call_s": 5}

        return {
            "thingiverse": at("thingiverse"),
            "myminifactory": at("mmf"),
            "sketchfab": at("sketchfab"),
            "printables": {"base_url": f"{self.url}/printables", "enabled": True},
        }

    def put(self, **files: bytes) -> None:
        """Have these files, here and at the server of files; `_` in a name stands for a dot."""
        self.files = {name.replace("_", "."): data for name, data in files.items()}
        self.cdn.files.update(self.files)

    def _stranger(self, request: web.Request) -> bool:
        return request.headers.get("Authorization", "").partition(" ")[2] != self.token

    async def _thing(self, request: web.Request) -> web.Response:
        if self._stranger(request):
            return web.json_response({"error": "Unauthorized"}, status=401)
        if request.match_info["id"] == "404":
            return web.json_response({"error": "Not Found"}, status=404)
        return web.json_response(
            {
                "id": int(request.match_info["id"]),
                "name": self.name,
                "creator": {"name": "anna"},
                "license": "Creative Commons - Attribution",
            }
        )

    async def _thing_files(self, request: web.Request) -> web.Response:
        listed = [
            {
                "id": number,
                "name": name,
                "size": len(data),
                "download_url": f"{self.url}/thingiverse/files/{name}/download",
            }
            for number, (name, data) in enumerate(self.files.items())
        ]
        return web.json_response(listed)

    async def _leads_on(self, request: web.Request) -> web.Response:
        if self._stranger(request):
            return web.Response(status=401)
        there = f"{self.cdn.url}/{request.match_info['name']}"
        return web.Response(status=302, headers={"Location": there})

    async def _object(self, request: web.Request) -> web.Response:
        if self._stranger(request):
            return web.json_response({"error": "access_denied"}, status=401)
        items = [
            {
                "filename": name,
                "download_url": None if self.closed else f"{self.url}/mmf/download/{name}",
            }
            for name in self.files
        ]
        return web.json_response(
            {
                "name": self.name,
                "url": f"https://www.myminifactory.com/object/a-{request.match_info['id']}",
                "designer": {"name": "Ben", "username": "ben3d"},
                "licenses": [
                    {"type": "remix", "value": True},
                    {"type": "commercial-use", "value": False},
                ],
                "price": {"value": str(self.price), "currency": "EUR"} if self.price else None,
                "files": {"total_count": len(items), "items": items},
            }
        )

    async def _own_file(self, request: web.Request) -> web.Response:
        if self._stranger(request):
            return web.Response(status=403)
        return web.Response(body=self.files[request.match_info["name"]])

    async def _sketch(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "name": self.name,
                "isDownloadable": not self.closed,
                "user": {"username": "cara", "displayName": "Cara"},
                "license": {"label": "CC Attribution", "fullName": "Creative Commons Attribution"},
            }
        )

    async def _sketch_files(self, request: web.Request) -> web.Response:
        if self._stranger(request):
            return web.json_response({"detail": "credentials were not provided"}, status=401)
        [name] = self.files
        signed = {"url": f"{self.cdn.url}/{name}", "size": len(self.files[name]), "expires": 300}
        return web.json_response({"glb": signed, "gltf": {**signed, "url": "https://x.invalid/"}})

    async def _graphql(self, request: web.Request) -> web.Response:
        asked = await request.json()
        numbered = {str(number): name for number, name in enumerate(self.files, start=70)}
        if "getDownloadLink" in asked["query"]:
            [wanted] = asked["variables"]["files"]
            links = [
                {"id": each, "link": f"{self.cdn.url}/{numbered[each]}"} for each in wanted["ids"]
            ]
            told: dict[str, Any] = {"ok": True, "errors": None, "output": {"files": links}}
            if self.closed:
                refused = [{"field": "id", "messages": ["You can't download this model."]}]
                told = {"ok": False, "errors": refused, "output": None}
            return web.json_response({"data": {"getDownloadLink": told}})
        if asked["variables"]["id"] == "404":
            return web.json_response({"data": {"print": None}})
        return web.json_response(
            {
                "data": {
                    "print": {
                        "id": asked["variables"]["id"],
                        "name": self.name,
                        "premium": False,
                        "price": self.price or None,
                        "license": {"name": "CC BY 4.0"},
                        "user": {"publicUsername": "dora"},
                        "stls": [
                            {"id": number, "name": name, "fileSize": len(self.files[name])}
                            for number, name in numbered.items()
                        ],
                    }
                }
            }
        )
