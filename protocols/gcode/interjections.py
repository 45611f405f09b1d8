"""What a person may say to a printer beside a plate: one table, with the reasons against the rest.

While a plate prints, a command stands between two of its lines. It may look, talk, and change what
the plate does not rest on. What moves the head, forgets where it is, holds the plate up or cools
what is printed with is refused, and so is what nobody here knows. A pause that ends restores heat,
place, modes, fan and feed, so that more is possible there; some things never are.
"""

from types import MappingProxyType

from protocols.gcode.lines import Command

# Between two lines of a plate. Nothing sets back what was set, but for a pause that ends.
ALLOWED = MappingProxyType(
    {
        "M105": "looks at temperatures",
        "M106": "fan",
        "M107": "fan",
        "M104": "nozzle, without waiting; 0 is refused",
        "M113": "how often it says that it is busy",
        "M114": "looks where the head is",
        "M115": "looks what it is",
        "M117": "words on the display",
        "M118": "words to the host",
        "M119": "looks at end stops",
        "M140": "bed, without waiting; 0 is refused",
        "M141": "chamber, without waiting; 0 is refused",
        "M150": "lights",
        "M155": "how often it tells temperatures",
        "M201": "limits of acceleration",
        "M203": "limits of speed",
        "M204": "acceleration",
        "M205": "jerk",
        "M27": "looks at what prints from the card",
        "M220": "speed, in percent",
        "M221": "flow, in percent",
        "M290": "baby steps of Z",
        "M300": "beeps",
        "M355": "case light",
        "M503": "looks at settings",
        "M73": "progress on the display",
        "M876": "answers a question of the printer",
        "M900": "linear advance",
    }
)

# Not even while nothing prints: the host would no longer know what it talks to.
NEVER = MappingProxyType(
    {
        "M23": "it prints from the card what no run is for",
        "M24": "it prints from the card what no run is for",
        "M28": "what follows would be written to the card",
        "M29": "what follows would be written to the card",
        "M32": "it prints from the card what no run is for",
        "M110": "it breaks the numbering of lines",
        "M575": "it changes the speed of the line",
        "M997": "it flashes the firmware",
        "M998": "it breaks the numbering of lines",
        "M999": "it restarts the firmware: use its button",
    }
)

_MOVES = "it moves the head, and the plate would go on from there"
_HOMES = "it moves the head over what is printed"
_FORGETS = "the plate would go on at another place"
_BLOCKS = "the printer would wait, and the plate with it"
_COOLS = "it turns off what the plate is printed with"

# Why not while a plate prints, in words; what is in no table is refused as unknown.
_REASONS = {
    _MOVES: "G0 G1 G2 G3 G5 G10 G11 G27 G60 G61 M125 M701 M702",
    _HOMES: "G28 G29 G30 G33 G34 G76 G80 M48",
    _FORGETS: "G20 G21 G90 G91 G92 M82 M83 M92 M206 M211 M218 M420 M428 M500 M501 M502 M851",
    _BLOCKS: "G4 M0 M1 M25 M109 M116 M190 M191 M226 M303 M400 M600",
    "it lets the motors go, and the place is lost": "M17 M18 M84 M85",
    "it switches the power": "M80 M81",
    "it ends a wait for heat, and the plate would go on cold": "M108",
    "it drops moves that the plate rests on: stop the run instead": "M410",
}
REFUSED = MappingProxyType({name: why for why, names in _REASONS.items() for name in names.split()})

_HEATS = frozenset({"M104", "M140", "M141"})


def objection(command: Command, *, printing: bool) -> str:
    """Return why a person may not say this now, in words; empty where they may.

    Args:
        command: what is to be said; M112 is no command of this table, it stops the machine.
        printing: a plate is being said, or is paused and not to be forced.
    """
    name = command.name
    if name in NEVER:
        return NEVER[name]
    if not printing:
        return ""
    if name in _HEATS and (command.value("S") or command.value("R") or 0.0) <= 0:
        return _COOLS
    if name in ALLOWED:
        return ""
    if name[0] == "T":
        return "it changes the tool, and the plate would go on with that one"
    return REFUSED.get(name, "nobody here knows what it does to the plate")
