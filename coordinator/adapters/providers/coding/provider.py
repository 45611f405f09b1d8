"""The providers `openscad` and `cad_python`: words or code become geometry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.coding.llm import Llm
from coordinator.adapters.providers.coding.options import (
    CadPythonOptions,
    CodingOptions,
    OpenScadOptions,
)
from coordinator.adapters.providers.coding.rounds import Dialect, Rounds, Written
from coordinator.adapters.providers.coding.spending import at_most
from coordinator.adapters.providers.options import key_of, options_of
from coordinator.adapters.rendering.cad_python import CadPython
from coordinator.adapters.rendering.filling import filled
from coordinator.adapters.rendering.openscad import OpenScad
from coordinator.adapters.rendering.values import Rendered, Renderer, Unrendered
from coordinator.adapters.sandbox import levels
from coordinator.adapters.sandbox.limits import Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.domain.code_forms import told_of
from coordinator.domain.history import Plain
from coordinator.domain.providing import (
    Again,
    Blame,
    Cost,
    Handle,
    Health,
    Kind,
    Look,
    Offer,
    Phase,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.errors import Unavailable
from coordinator.ports import StagedFile
from coordinator.ports_providers import Told, Tools

_PROMPT_CHARACTERS_MAX = 20_000
_CODE_CHARACTERS_MAX = 200_000
# Between the answer's last word and the stored mesh there is measuring and storing.
_SPARE_S = 60.0
_DIALECTS = {
    "openscad": Dialect(marks=("openscad", "scad"), suffix=".scad"),
    "build123d": Dialect(marks=("python", "py"), suffix=".py"),
    "cadquery": Dialect(marks=("python", "py"), suffix=".py"),
    "freecad": Dialect(marks=("python", "py"), suffix=".py"),
}


def openscad(name: str, options: Mapping[str, Any], tools: Tools) -> "CodeProvider":
    """Return a provider of OpenSCAD; see `ProviderMaker`."""
    chosen = options_of(OpenScadOptions, name, options)
    sandbox = Sandbox(levels.find())
    libraries = chosen.libraries_folder
    renderer = OpenScad(
        sandbox,
        tools.folder / "jobs",
        engine=chosen.engine,
        program=chosen.program,
        libraries=Path(libraries).expanduser() if libraries else None,
        memory_mib=min(chosen.render_memory_mib, tools.memory_mib),
    )
    return CodeProvider(name, "openscad", chosen, renderer, tools)


def cad_python(name: str, options: Mapping[str, Any], tools: Tools) -> "CodeProvider":
    """Return a provider of CAD Python; see `ProviderMaker`."""
    chosen = options_of(CadPythonOptions, name, options)
    sandbox = Sandbox(levels.find())
    renderer = CadPython(sandbox, tools.folder / "jobs", chosen.library, chosen.program)
    return CodeProvider(name, "cad_python", chosen, renderer, tools)


class CodeProvider(Bare):
    """Code that a language model writes or a person brings, rendered here."""

    def __init__(
        self, name: str, service: str, options: CodingOptions, renderer: Renderer, tools: Tools
    ) -> None:
        """Take the settings and what renders.

        Raises:
            SettingsInvalid: the key can't be used.
        """
        self._title = name
        self._options = options
        self._renderer = renderer
        self._dialect = _DIALECTS[renderer.language]
        self._limits = Limits(
            wall_s=options.render_s,
            cpu_s=int(options.render_s) + 1,
            memory_mib=min(options.render_memory_mib, tools.memory_mib),
        )
        llm = Llm(name, options, key_of(name, options, needed=False), tools)
        self._llm = llm if options.model else None
        self._rounds = Rounds(llm, renderer, options, self._dialect, self._limits)
        writes = {Kind.TEXT} if options.model else set()
        self._offer = Offer(
            service=service,
            title=f"{name} ({renderer.language})",
            kinds=frozenset({Kind.CODE, *writes}),
            language=renderer.language,
            prompt_chars_max=_PROMPT_CHARACTERS_MAX,
            needs_size=False,
            converses=bool(options.model),
            again=Again.COSTS_ONLY,
            at_once_max=options.at_once_max,
            patience_s=options.rounds_max * (options.call_s + options.render_s) + _SPARE_S,
            tool=renderer.tool,
            trouble=renderer.trouble,
        )

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""
        return self._offer

    def objection(self, wish: Wish) -> str:
        """Return why this wish can't be met; else empty."""
        objection = objection_of(self._offer, wish)
        if objection:
            return objection
        if len(wish.code) > _CODE_CHARACTERS_MAX:
            return f"the code has more than {_CODE_CHARACTERS_MAX} characters"
        if wish.kind is Kind.CODE:
            _, wrong = filled(self._renderer.parameters(wish.code), wish.parameters)
            if wrong:
                return "; ".join(wrong)
        if wish.kind is Kind.TEXT:
            room = self._options.context_tokens - self._options.tokens_max
            if self._rounds.asked_tokens(wish) > room:
                return (
                    f"it is too long for the language model: with the code as it stands there is "
                    f"room for some {room} tokens"
                )
        return self._renderer.trouble

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return what all rounds cost at most; rendering costs nothing."""
        if wish.kind is Kind.CODE:
            return None
        return at_most(self._options, self._rounds.asked_tokens(wish))

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Write and render, or only render; returns when it is done."""
        objection = self.objection(wish)
        if objection:
            blame = Blame.AUTH_CONFIG if self._renderer.trouble else Blame.INVALID_INPUT
            raise ProviderFault(blame, "not_taken", objection)
        try:
            if wish.kind is Kind.CODE:
                look = await self._render(wish, told)
            else:
                look = self._look(await self._rounds.write(wish, told))
        except Unavailable as error:
            raise ProviderFault(Blame.RETRY_SAFE, error.code, error.message) from error
        return Submitted(handle=Handle(task_id=key), look=look)

    async def look(self, handle: Handle) -> Look:
        """Return that nothing is known: a submit answers with all of it."""
        del handle
        return Look(phase=Phase.UNKNOWN)

    async def fetch(self, piece: Piece, sink: StagedFile) -> None:
        """Write a piece; all of them are at hand."""
        await sink.write(piece.data)

    async def health(self) -> Health:
        """Return whether code can be rendered, and the language model answers and is known."""
        if self._renderer.trouble:
            return Health(ready=False, words=self._renderer.trouble)
        words = self._renderer.tool
        if self._renderer.libraries:
            words += f", with {', '.join(self._renderer.libraries)}"
        if self._llm is None:
            return Health(ready=True, words=f"{words}; no language model: only code is taken")
        try:
            models = await self._llm.models()
        except ProviderFault as fault:
            return Health(ready=False, words=fault.message)
        if models and self._options.model not in models:
            words += f"; {self._options.model} is not among the models that it names"
        return Health(ready=True, words=f"{words}; {self._options.model}")

    async def close(self) -> None:
        """Close its connections."""
        if self._llm is not None:
            await self._llm.close()

    async def _render(self, wish: Wish, told: Told) -> Look:
        told(0.0, "rendering")
        found = await self._renderer.render(wish.code, wish.parameters, self._limits)
        if isinstance(found, Unrendered):
            raise ProviderFault(
                Blame.INVALID_INPUT, "code_not_rendered", str(found)[:2000], field="code"
            )
        return self._succeeded(wish.code, found, {})

    def _look(self, written: Written) -> Look:
        charged = written.spent.charged
        told: dict[str, Plain] = {"service_model": written.model, "rounds": written.rounds}
        if written.rendered is not None:
            return self._succeeded(
                written.code, written.rendered, told, charged=charged, said=written.said
            )
        code = written.code
        return Look(
            phase=Phase.FAILED,
            fault=written.fault,
            charged=charged,
            said=written.said,
            told=told,
            pieces=(self._code(code),) if code else (),
        )

    def _succeeded(
        self,
        code: str,
        found: Rendered,
        told: dict[str, Plain],
        *,
        charged: Cost | None = None,
        said: str = "",
    ) -> Look:
        files = [
            Piece(
                role=each.role,
                name=f"model{each.suffix}",
                suffix=each.suffix,
                data=each.data,
                size_bytes=len(each.data),
            )
            for each in found.files
        ]
        return Look(
            phase=Phase.SUCCEEDED,
            progress=1.0,
            pieces=(*files, self._code(code)),
            charged=charged,
            told={
                **told,
                "tool": found.tool,
                "language": self._renderer.language,
                "size_mm": [round(each, 3) for each in found.size_mm],
                "triangles": found.triangles,
                "remarks": [str(each) for each in found.complaints],
                "parameters": told_of(self._renderer.parameters(code)),
            },
            said=said,
        )

    def _code(self, code: str) -> Piece:
        data = code.encode()
        suffix = self._dialect.suffix
        return Piece(
            role="code", name=f"model{suffix}", suffix=suffix, data=data, size_bytes=len(data)
        )
