"""A Marlin-like firmware, sans-IO: bytes and simulated seconds in, bytes out.

Theory of operation. Bytes wait in the receive buffer (`intake`); lines are checked as they enter
the command queue of four. The command at its head is executed; one that takes time is a generator
of waits. Its `ok` follows when it has been executed, a move when it is in the planner. The planner
drains by itself. A halted firmware hears nothing until it is reset.
"""

import math
from collections import deque

from agent.simulator.commands import ACCEPTED, HANDLERS
from agent.simulator.executed_log import ExecutedLog
from agent.simulator.faults import Fault, Faults, Occasion
from agent.simulator.intake import Admitted, Complaint, Intake
from agent.simulator.machine import Machine
from agent.simulator.profiles import Board
from agent.simulator.waits import Wait, Waits
from protocols.gcode.lines import decode, parse

QUEUE_MAX = 4  # Marlin's BUFSIZE
_UNSENT_BYTES_MAX = 16_384  # with more than this unsent the firmware stops, as Marlin does
_EMERGENCY = frozenset({"M108", "M112", "M410", "M876"})
_PROTECTION_S = 1.0


class Firmware:
    """One printer. `now` never goes back; all seconds are simulated.

    Attributes:
        log: what was executed.
        faults: what is armed to go wrong.
        halted: killed; deaf until `reset`.
        plugged: whether the host's cable is in; the shell opens and closes the port by it.
    """

    def __init__(self, board: Board, faults: Faults) -> None:
        self.log = ExecutedLog()
        self.faults = faults
        self.halted = False
        self.plugged = True
        self._board = board
        self._now = 0.0
        self._out = bytearray()
        self._plug_at_s = math.inf
        self._booted = False
        self._power_on()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the wire."""
        if now < self._boot_until_s or not self.plugged or self.halted:
            self.advance(now)
            return
        if self._board.emergency_parser:
            self._overhear(data)
        self._intake.feed(data)
        self.advance(now)
        if self._board.receive_bytes:
            self._intake.overflow(self._board.receive_bytes)

    def advance(self, now: float) -> None:
        """Do everything that is due by `now`."""
        self._now = self.machine.now = now = max(now, self._now)
        if now >= self._plug_at_s:
            self._plug_at_s, self.plugged = math.inf, True
        if now < self._boot_until_s:
            return
        if not self._booted:
            self._booted = True
            self._say("start")
            self._say(f"echo:{self._board.profile.firmware_name}")
            self._say("echo: Free Memory: 11071  PlannerBufferBytes: 1408")
        if self.halted:
            return
        self.machine.planner.advance(now)
        self._protect()
        if now < self._silent_until_s or self.halted:
            return
        while len(self._out) < _UNSENT_BYTES_MAX and (self._fill_queue() | self._work()):
            pass
        if not self.halted and now >= self._boot_until_s:
            self._report()

    @property
    def deadline(self) -> float:
        """When `advance` has something to do, infinity while only the host can cause that."""
        now = self._now
        if not self._booted:
            return min(self._boot_until_s, self._plug_at_s)
        times = [self._plug_at_s]
        if self.halted:
            return self._plug_at_s
        if self.machine.hotend.broken or self.machine.bed.broken:
            times.append(self._protect_at_s)
        if now < self._silent_until_s:
            times.append(self._silent_until_s)
            return min(times)
        if self._wait is not None:
            times.append(self._wait.deadline(self.machine))
            times.append(self._busy_at_s)
        return min(*times, self.machine.report_due_s)

    def outbound(self) -> bytes:
        """Return what is to be sent, and forget it."""
        if not self._out:
            return b""
        data = bytes(self._out)
        self._out.clear()
        return data if self.plugged else b""

    @property
    def buffered(self) -> int:
        """Bytes received and not looked at; a shell reads no more while there are many."""
        return self._intake.buffered

    def reset(self, cause: str, now: float) -> None:
        """Restart the board, as its button or a rising DTR does."""
        self._now = max(now, self._now)
        self.log.mark(f"reset {cause}")
        hotend, bed = self.machine.hotend, self.machine.bed
        self._power_on()
        for heater, former in ((self.machine.hotend, hotend), (self.machine.bed, bed)):
            former.aim(0.0, self._now)
            heater.aim(0.0, self._now)  # metal stays warm, the firmware forgets the target
            heater.celsius, heater.broken = former.celsius, former.broken

    def press(self, now: float) -> None:
        """Let a person at the printer confirm, as its button does."""
        self._break_wait()
        self.advance(now)

    def print_from_card(self, name: str, now: float) -> bool:
        """Print a file as a person at the panel does; return whether there is such a file."""
        card = self.machine.card
        began = card is not None and card.begin(name, self._say)
        self.advance(now)
        return began

    def drop_output(self) -> None:
        """Lose what nobody is there to read."""
        self._out.clear()

    def status(self, now: float) -> dict[str, object]:
        """Return what a person with a view into the printer would see."""
        self.advance(now)
        return {
            "state": self._state(),
            "executed": self.log.commands,
            "last_line": self._intake.last_number,
            "queued": len(self._queue),
            "faults": [str(fault) for fault in self.faults.armed],
            **self.machine.status(),
        }

    def _power_on(self) -> None:
        board = self._board
        self.machine = Machine(board=board, now=self._now)
        self._lacks = board.lacks
        self._intake = Intake(board.profile, self._say)
        self._queue: deque[Admitted] = deque()
        self._waits: Waits | None = None
        self._wait: Wait | None = None
        self._injected: Waits | None = None
        self._owner: Admitted | None = None
        self._busy_at_s = math.inf
        self._protect_at_s = 0.0
        self._silent_until_s = 0.0
        self._boot_until_s = self._now + board.boot_s
        self._booted = False
        self.halted = False
        self._out.clear()
        self.log.mark("boot")

    def _say(self, text: str) -> None:
        self._out += text.encode("latin-1", "replace") + b"\n"

    def _state(self) -> str:
        if self.halted:
            return "halted"
        if self._now < self._boot_until_s:
            return "booting"
        if self._now < self._silent_until_s:
            return "silent"
        if self._wait is not None:
            return "busy" if self._wait.busy == "processing" else "waiting"
        return "idle" if self.machine.planner.empty else "moving"

    def _halt(self, *errors: str) -> None:
        """Kill the firmware: everything off, and no word more."""
        for error in errors:
            self._say(error)
        self._say("Error:Printer halted. kill() called!")
        self._say("//action:poweroff")
        self.log.mark(f"halted {errors[0].partition(':')[2]}")
        self.halted = True
        self.machine.quick_stop()
        self.machine.hotend.aim(0.0, self._now)
        self.machine.bed.aim(0.0, self._now)
        self._queue.clear()
        self._waits = self._wait = self._injected = None
        self._intake.flush()

    def _protect(self) -> None:
        if self._now < self._protect_at_s:
            return
        for heater in (self.machine.hotend, self.machine.bed):
            failure = heater.broken and heater.failure(self._now)
            if failure:
                where = heater.body.heater_id
                self._halt(f"Error:{failure}, system stopped! Heater_ID: {where}")
                return
        self._protect_at_s = self._now + _PROTECTION_S

    def _report(self) -> None:
        """Say what is due by itself: how things are, and that a long command goes on."""
        machine, now = self.machine, self._now
        machine.report(now)
        self._carry_lines()
        if self._wait is not None and now >= self._busy_at_s:
            self._say(f"echo:busy: {self._wait.busy}")
            self._busy_at_s = now + max(machine.keepalive_s, self._board.report_interval_s_min)

    def _fill_queue(self) -> bool:
        """Take lines into the queue while it has room; return whether any was taken."""
        taken = False
        while len(self._queue) < QUEUE_MAX and not self.halted:
            line = self._intake.next_line()
            if line is None:
                break
            taken = True
            if self.faults.armed:
                line = self._damage(line)
            self._enter(self._intake.admit(line))
        card, room = self.machine.card, QUEUE_MAX - len(self._queue)
        if card is not None and card.printing and room > 0:
            texts = card.take(room, self._say)
            self._queue.extend(Admitted(None, text, from_card=True) for text in texts)
            taken = taken or bool(texts)
        return taken

    def _damage(self, line: bytes) -> bytes:
        number = decode(line).number
        executed = self.log.commands
        for _ in self.faults.strike(Occasion.RECEIVED, number=number, executed=executed):
            line = self.faults.flip_bit(line)
        return line

    def _enter(self, entry: Admitted | Complaint | None) -> None:
        match entry:
            case None:
                return
            case Complaint(reason, last_number):
                self._say(f"Error:{reason}, Last Line: {last_number}")
                self._say(f"Resend: {last_number + 1}")
                self._say("ok")
            case Admitted():
                if entry.text[:4] in _EMERGENCY and not self._board.emergency_parser:
                    self._emergency(entry.text[:4], entry)
                if not self.halted:
                    self._queue.append(entry)

    def _overhear(self, data: bytes) -> None:
        for line in data.splitlines():
            text = decode(line).command[:4]
            if text in _EMERGENCY:
                self._emergency(text, Admitted(None, text))

    def _emergency(self, name: str, entry: Admitted) -> None:
        """Obey what can't wait for its turn in the queue."""
        if name in self._lacks:
            return
        if name == "M112":
            self.log.command(entry.number, entry.text)
            self._say("echo:M112 Shutdown")
            self._halt("Error:M112")
        elif name == "M410":
            self.machine.quick_stop()
            self.machine.report_position()
            self._carry_lines()
        else:
            self._break_wait()

    def _break_wait(self) -> None:
        if self._wait is not None and self._wait.breakable:
            self._resume()

    def _work(self) -> bool:
        """Do the next piece of work; return whether there was any."""
        if self.halted or self._now < self._boot_until_s or self._now < self._silent_until_s:
            return False
        if self._wait is not None:
            over = self._wait.poll(self.machine, self._now)
            self._carry_lines()
            if not over:
                return False
            self._resume()
            return True
        if self._waits is not None:
            self._resume()
            return True
        if self._injected is not None:
            self._waits, self._injected = self._injected, None
            self._owner = None
            self._begin_waiting()
            return True
        if not self._queue:
            return False
        self._execute(self._queue[0])
        return True

    def _execute(self, entry: Admitted) -> None:
        command = parse(entry.text)
        name = command.name if command else ""
        handler = HANDLERS.get(name)
        if name in self._lacks or (handler is None and name not in ACCEPTED):
            self._say(f'echo:Unknown command: "{entry.text}"')
        if name == "M110" and entry.number is None and command is not None:
            self._intake.last_number = int(command.value("N", 0.0) or 0.0)
        if handler is not None and command is not None and name not in self._lacks:
            self._waits = handler(self.machine, command, self._now)
            self._carry_lines()
            if self._waits is not None:
                self._owner = entry
                self._begin_waiting()
                return
        self._acknowledge(entry, with_temperatures=name == "M105")

    def _begin_waiting(self) -> None:
        interval_s = self.machine.keepalive_s
        floor = self._board.report_interval_s_min
        self._busy_at_s = self._now + max(interval_s, floor) if interval_s else math.inf
        self._resume()

    def _resume(self) -> None:
        """Go on with the command that waited, to its next wait or its end."""
        assert self._waits is not None
        self._wait = next(self._waits, None)
        self._carry_lines()
        if self._wait is None:
            self._waits = None
            owner, self._owner = self._owner, None
            if owner is not None:
                self._acknowledge(owner, with_temperatures=False)

    def _carry_lines(self) -> None:
        if self.machine.lines:
            for text in self.machine.lines:
                self._say(text)
            self.machine.lines.clear()

    def _acknowledge(self, entry: Admitted, *, with_temperatures: bool) -> None:
        """Note the command at the head as executed, say ok, and make room for the next."""
        self.log.command(entry.number, entry.text)
        text = "" if entry.from_card else "ok"
        if text and with_temperatures:
            text = f"ok {self.machine.temperatures(self._now)}"
        elif text and self._board.advanced_ok:
            number = "" if entry.number is None else f" N{entry.number}"
            free = self.machine.planner.free
            text = f"ok{number} P{free} B{QUEUE_MAX - len(self._queue)}"
        self._queue.popleft()
        if self.faults.armed:
            struck = self.faults.strike(
                Occasion.ANSWERED, number=entry.number, executed=self.log.commands
            )
            for fault in struck:
                text = self._suffer(fault, text)
        if text:
            self._say(text)

    def _suffer(self, fault: Fault, text: str) -> str:
        """Let a fault strike; return what is left of the answer."""
        self.log.mark(f"fault {fault}")
        match fault.name:
            case "lose_ok":
                return ""
            case "double_ok":
                return f"{text}\n{text}"
            case "reset":
                self.reset("fault", self._now)
                return ""
            case "silence":
                self._silent_until_s = self._now + fault.option("seconds")
            case "thermal_runaway":
                heater = self.machine.bed if fault.option("bed") else self.machine.hotend
                heater.advance(self._now)
                heater.broken = True
                heater.failure(self._now)
            case "runout":
                self._say("//action:paused filament_runout 0")
                command = parse("M600")
                assert command is not None
                self._injected = HANDLERS["M600"](self.machine, command, self._now)
            case "usb_drop":
                self.plugged = False
                self._plug_at_s = self._now + fault.option("seconds")
                return ""
        return text
