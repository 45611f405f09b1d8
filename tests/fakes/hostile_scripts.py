"""Fifty programs that mean harm, each with what has to become of it.

A script that gets what it wants says BREACH. What it may use: `SECRET`, a file outside with "open
sesame" in it; `OUT`, one that must stay as it is; `PORT`, where somebody listens on loopback;
`ABSTRACT`, a socket without a file; `breach()`.
"""

from dataclasses import dataclass

from coordinator.adapters.sandbox.limits import How


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A script, how it ends, and a word of its fault or of what it says then.

    Attributes:
        fault: somewhere in the fault or the words; empty where it ends well and did nothing.
    """

    name: str
    script: str
    how: tuple[How, ...] = (How.EXITED,)
    fault: str = ""


def _hostile(name: str, script: str, fault: str = "", *how: How) -> Hostile:
    return Hostile(name=name, script=script, fault=fault, how=how or (How.EXITED,))


_FILES = (
    _hostile("reads_a_file", "print(open(SECRET).read()); breach()", "No such file"),
    _hostile("reads_passwords", "open('/etc/shadow').read(); breach()", "No such file"),
    _hostile("reads_users", "open('/etc/passwd').read(); breach()", "No such file"),
    _hostile("lists_homes", "import os; os.listdir('/home'); breach()", "No such file"),
    _hostile("writes_outside", "open(OUT, 'w').write('x'); breach()", "No such file"),
    _hostile("writes_to_usr", "open('/usr/bin/x', 'w'); breach()", "Read-only file system"),
    _hostile("writes_to_the_root", "open('/x', 'w'); breach()", "Read-only file system"),
    _hostile("writes_to_dev_shm", "open('/dev/shm/x', 'w'); breach()", "Read-only"),
    _hostile("writes_to_tmp", "open('/tmp/x', 'w'); breach()", "No such file"),
    _hostile(
        "removes_everything", "import shutil; shutil.rmtree('/usr/bin'); breach()", "Read-only file"
    ),
    _hostile(
        "climbs_out",
        """
import os
for _ in range(40): os.chdir('..')
open('.' + SECRET).read(); breach()""",
        "No such file",
    ),
    _hostile("reads_the_disk", "open('/dev/vda', 'rb').read(9); breach()", "No such file"),
    _hostile(
        "makes_a_device",
        """
import os, stat
os.mknod('disk', stat.S_IFBLK | 0o666, os.makedev(254, 0)); breach()""",
        "not permitted",
    ),
)

_OUTPUTS = (
    _hostile("gives_a_link_to_a_file", "import os; os.symlink(SECRET, 'out.stl')"),
    _hostile(
        "gives_a_hard_link",
        "import os; os.link('/usr/bin/env', 'out.stl'); breach()",
        "Error",
    ),
    _hostile("gives_a_link_to_memory", "import os; os.symlink('/dev/zero', 'out.stl')"),
    _hostile("gives_a_fifo", "import os; os.mkfifo('out.stl')"),
    _hostile("gives_a_folder", "import os; os.mkdir('out.stl')"),
    _hostile(
        "gives_a_socket",
        """
import socket; s = socket.socket(socket.AF_UNIX); s.bind('out.stl')""",
    ),
    _hostile(
        "gives_a_sparse_giant",
        """
import os; os.truncate(os.open('out.stl', os.O_CREAT | os.O_RDWR), 1 << 40); breach()""",
        "too large",
    ),
    _hostile("gives_what_is_too_long", "open('out.stl', 'wb').write(b'x' * (3 << 20))"),
)

_NETWORK = (
    _hostile(
        "connects",
        """
import socket; socket.create_connection(('127.0.0.1', PORT), 2); breach()""",
        "Error",
    ),
    _hostile(
        "resolves_names",
        "import socket; socket.getaddrinfo('example.org', 80); breach()",
        "resolution",
    ),
    _hostile(
        "sends_datagrams",
        """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('1.1.1.1', 53))
breach()""",
        "Error",
    ),
    _hostile(
        "makes_raw_packets",
        """
import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); breach()""",
        "Error",
    ),
    _hostile(
        "talks_to_docker",
        """
import socket; s = socket.socket(socket.AF_UNIX); s.connect('/var/run/docker.sock')
breach()""",
        "No such file",
    ),
    _hostile(
        "talks_to_abstract_sockets",
        """
import socket; s = socket.socket(socket.AF_UNIX); s.connect(chr(0) + ABSTRACT)
breach()""",
        "refused",
    ),
)

_CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.{call} != -1: breach()
else: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"""

_PRIVILEGES = (
    _hostile("becomes_root", "import os; os.setuid(0); breach()", "Error"),
    _hostile(
        "uses_a_setuid_program",
        """
import os, subprocess
done = subprocess.run(['/usr/bin/su', '-c', 'id -u'], capture_output=True, text=True)
raise SystemExit('BREACH' if done.stdout.strip() == '0' else 'refused: ' + done.stderr)""",
        "refused",
    ),
    _hostile(
        "makes_a_setuid_program",
        """
import os, shutil, subprocess
shutil.copy('/usr/bin/id', 'id'); os.chmod('id', 0o4755)
said = subprocess.run(['./id', '-u'], capture_output=True, text=True).stdout.strip()
raise SystemExit('BREACH' if said == '0' else 'refused: ' + said)""",
        "refused",
    ),
    _hostile("traces_process_1", _CALL.format(call="ptrace(16, 1, 0, 0)"), "not permitted"),
    _hostile(
        "mounts", _CALL.format(call="mount(b'/usr', b'/job', b'', 4096, None)"), "not permitted"
    ),
    _hostile("makes_namespaces", _CALL.format(call="unshare(0x10000000 | 0x20000)"), "Error"),
    _hostile("leaves_by_chroot", _CALL.format(call="chroot(b'..')"), "not permitted"),
    _hostile("loads_a_kernel_program", _CALL.format(call="syscall(321, 0, 0, 0)"), "Error"),
    _hostile("reads_keys", _CALL.format(call="syscall(250, 0, -3, 1)"), "Error"),
    _hostile("hides_memory", _CALL.format(call="syscall(319, b'x', 0)"), "not implemented"),
    _hostile(
        "types_into_the_terminal",
        """
import fcntl, termios
fcntl.ioctl(open('/dev/tty'), termios.TIOCSTI, b'x'); breach()""",
        "Error",
    ),
)

_PROCESSES = (
    _hostile("kills_all", "import os; os.kill(-1, 9); breach()", "No such process"),
    _hostile(
        "sees_other_processes",
        """
import os
seen = [p for p in os.listdir('/proc') if p.isdecimal()]
raise SystemExit('BREACH' if len(seen) > 4 else 'alone')""",
        "alone",
    ),
    _hostile(
        "reads_what_process_1_was_told",
        "raise SystemExit(open('/proc/1/environ').read() and 'BREACH' or 'nothing')",
        "nothing",
    ),
    _hostile("leaves_by_proc", "open('/proc/1/root' + SECRET).read(); breach()", "Error"),
    _hostile(
        "changes_the_kernel",
        """
path = '/proc/sys/kernel/core_pattern'
was = open(path).read()
open(path, 'w').write(was); breach()""",
        "Read-only file",
    ),
    _hostile(
        "asks_for_a_reboot",
        """
import os
os.close(os.open('/proc/sysrq-trigger', os.O_WRONLY)); breach()""",
        "Error",
    ),
    _hostile(
        "asks_to_be_spared_when_memory_ends",
        "open('/proc/self/oom_score_adj', 'w').write('-900'); breach()",
        "Read-only file",
    ),
    _hostile(
        "reads_the_environment",
        """
import os; raise SystemExit('BREACH' if 'SESAME' in os.environ else 'nothing')""",
        "nothing",
    ),
    _hostile(
        "stays_behind",
        """
import os, time
if os.fork() == 0:
    os.setsid()
    for each in (0, 1, 2): os.close(each)
    while True: open('alive', 'w').close(); time.sleep(0.01)
raise SystemExit('left one behind')""",
        "left one behind",
    ),
    _hostile(
        "forks_for_ever",
        """
import os
while True:
    try: os.fork()
    except OSError: pass""",
        "it ",
        How.TOO_MANY_TASKS,
        How.TOO_MUCH_MEMORY,
        How.TOO_LONG,
        How.CRASHED,
    ),
    _hostile(
        "makes_threads_for_ever",
        """
import threading, time
while True: threading.Thread(target=time.sleep, args=(60,)).start()""",
        "thread",
        How.TOO_MANY_TASKS,
        How.TOO_LONG,
        How.EXITED,
    ),
)

_AMOUNTS = (
    _hostile("loops_for_ever", "while True: pass", "ran longer", How.TOO_LONG),
    _hostile("sleeps_for_ever", "import time; time.sleep(1e6)", "ran longer", How.TOO_LONG),
    _hostile(
        "ignores_being_asked",
        """
import signal, time
for n in range(1, 32):
    if n not in (9, 19): signal.signal(n, signal.SIG_IGN)
while True: time.sleep(1)""",
        "ran longer",
        How.TOO_LONG,
    ),
    _hostile(
        "closes_its_ears",
        """
import os, time
os.close(1); os.close(2)
time.sleep(1e6)""",
        "ran longer",
        How.TOO_LONG,
    ),
    _hostile(
        "stops_itself",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "ran longer",
        How.TOO_LONG,
    ),
    _hostile("takes_memory_at_once", "x = bytearray(4 << 30); breach()", "MemoryError"),
    _hostile(
        "takes_memory_with_children",
        """
import os, time
for _ in range(6):
    if os.fork() == 0: x = bytearray(b'x') * (200 << 20); time.sleep(1e6)
time.sleep(1e6)""",
        "of memory",
        How.TOO_MUCH_MEMORY,
    ),
    _hostile(
        "shares_memory_that_nobody_counts",
        """
import mmap, time
kept = []
for _ in range(40):
    kept.append(mmap.mmap(-1, 100 << 20)); kept[-1].write(b'x' * (100 << 20))
breach()""",
        "emory",
        How.TOO_MUCH_MEMORY,
        How.EXITED,
    ),
    _hostile(
        "says_too_much",
        """
while True: print('x' * 10_000)""",
        "said more",
        How.TOO_MUCH_SAID,
    ),
    _hostile(
        "says_one_line_for_ever",
        """
import sys
while True: sys.stdout.write('x')""",
        "said more",
        How.TOO_MUCH_SAID,
    ),
    _hostile(
        "says_escapes",
        r"""
raise SystemExit('\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x00\x9b31m\x7f\r end')""",
        "red end",
    ),
    _hostile(
        "writes_a_giant",
        """
with open('big', 'wb') as f:
    while True: f.write(b'x' * (1 << 20))""",
        "too large",
    ),
    _hostile(
        "writes_many_giants",
        """
import itertools
for n in itertools.count():
    with open(f'big{n}', 'wb') as f: f.write(b'x' * (1 << 20))""",
        "wrote more",
        How.TOO_MUCH_WRITTEN,
    ),
    _hostile(
        "writes_millions_of_files",
        """
for n in range(10_000_000): open(f'{n}', 'w').close()""",
        "wrote more",
        How.TOO_MUCH_WRITTEN,
    ),
    _hostile(
        "goes_deep",
        """
import os
while True: os.mkdir('d'); os.chdir('d')""",
        "too deep or closed",
        How.TOO_MUCH_WRITTEN,
    ),
    _hostile(
        "hides_a_folder",
        """
import os
os.mkdir('d')
for n in range(50): open(f'd/{n}', 'w').close()
os.chmod('d', 0)
raise SystemExit('hidden')""",
        "",
        How.EXITED,
        How.TOO_MUCH_WRITTEN,
    ),
    _hostile(
        "recurses_for_ever",
        """
import sys; sys.setrecursionlimit(1 << 30)
def f(): return f()
f()""",
        "",
        How.TOO_LONG,
        How.CRASHED,
        How.EXITED,
        How.TOO_MUCH_MEMORY,
    ),
    _hostile(
        "bombs_by_compiling",
        "eval('9' * 10 + '**' + '9' * 10)",
        "",
        How.TOO_LONG,
        How.EXITED,
        How.TOO_MUCH_CPU,
    ),
)

HOSTILE = (*_FILES, *_OUTPUTS, *_NETWORK, *_PRIVILEGES, *_PROCESSES, *_AMOUNTS)
