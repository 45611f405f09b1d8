"""System calls that no program in the sandbox has a use for, as a filter for bubblewrap.

Everything else is allowed: a list of what is needed would break with each version of numpy. These
are the calls behind which the kernel's own faults were found, and those that take memory which no
limit counts.
"""

import errno
import socket
import tempfile
from functools import lru_cache

_NO_SUCH_CALL = -1

# New namespaces are the door to most of the others.
_NEW_NAMESPACES = (
    0x00020000,
    0x02000000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)

_REFUSED = (
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount"),
    *("fsconfig", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("bpf", "perf_event_open", "userfaultfd", "add_key", "keyctl", "request_key"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
    *("acct", "swapon", "swapoff", "quotactl", "syslog", "iopl", "ioperm", "lookup_dcookie"),
    *("name_to_handle_at", "fanotify_init", "vhangup", "personality", "nfsservctl"),
    *("settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname"),
)
# Programs know how to do without these, if they are told that there are none. Memory behind a
# descriptor or a System V key is no process's own, so nobody would count it.
_ABSENT = (
    *("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open"),
)


@lru_cache(maxsize=1)
def call_filter() -> bytes:
    """Return the filter as bubblewrap reads it; empty where there is no libseccomp."""
    try:
        # It looks for the library when it is imported.
        import pyseccomp
    except (ImportError, OSError, RuntimeError):
        return b""
    found = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    for names, number in ((_REFUSED, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for name in names:
            if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) != _NO_SUCH_CALL:
                found.add_rule(pyseccomp.ERRNO(number), name)
    for flag in _NEW_NAMESPACES:
        found.add_rule(
            pyseccomp.ERRNO(errno.EPERM),
            "clone",
            pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag),
        )
    found.add_rule(
        pyseccomp.ERRNO(errno.EAFNOSUPPORT),
        "socket",
        pyseccomp.Arg(0, pyseccomp.NE, int(socket.AF_UNIX)),
    )
    with tempfile.TemporaryFile() as file:
        found.export_bpf(file)
        file.seek(0)
        return file.read()
