"""What a person can do about a printer that does not answer, told from what its driver says."""

import re

# The first that is found in the words counts. Errors of the system come in its own words, which
# are the same on every Linux (strerror(3), gai_strerror(3)).
_ADVICE: tuple[tuple[str, str], ...] = (
    (
        "refuses the API key",
        (
            "take the key anew from the host's own page, for 'api_key' or 'api_key_file'; "
            "OctoPrint is asked for one by `farmhand-agent octoprint-key URL`"
        ),
    ),
    (
        r"not there: /|\b404,|makes no sense",
        (
            "something else answers there: look at the port and the path in 'url'; "
            "`farmhand-agent discover` lists the hosts that announce themselves"
        ),
    ),
    (
        r"Name or service not known|No address associated|Temporary failure in name resolution",
        (
            "this machine knows no such name: write the address in numbers; "
            "`farmhand-agent discover` lists the hosts that announce themselves"
        ),
    ),
    (
        r"Connection refused|Connect call failed|[Nn]o connection|No route|timed out|unreachable",
        (
            "nothing listens there: turn the host on, or put the right address and port into the "
            "configuration"
        ),
    ),
    (
        "No such file or directory",
        "plug it in and turn it on, or take another port: `farmhand-agent discover` lists them",
    ),
    ("Permission denied", "let this user use serial ports: sudo usermod -aG dialout USER"),
    (
        "holds it|exclusively lock",
        "have the other program let go of the port; two can't speak to one printer",
    ),
    ("Is a directory|Inappropriate ioctl", "that is no serial port: take another as 'port'"),
    (
        "nobody answers|not connected yet",
        "turn the printer on, and look at 'baud_rate': `farmhand-agent discover PORT` tries all",
    ),
    (
        "Klipper is not running",
        "start Klipper on the host (sudo systemctl start klipper), or have a look at its log",
    ),
    (
        "Klipper (shut down|could not start)",
        "mend what Klipper says, turn the printer on, then press FIRMWARE_RESTART",
    ),
    (
        "connected to its printer|connecting to its printer|looking for its printer",
        "turn the printer on, plug it into the host, and connect it on the host's page",
    ),
    (
        "stopped with an error",
        "look at the printer's screen; is it on, and plugged into its host? then connect it anew",
    ),
    ("waits for a person", "look at the printer's screen, and answer it"),
)


def advice_on(words: str) -> str:
    """Return what to do, empty where nothing is known to help.

    Args:
        words: what the driver says of a printer that does not answer.
    """
    for pattern, advice in _ADVICE:
        if re.search(pattern, words):
            return advice
    return ""
