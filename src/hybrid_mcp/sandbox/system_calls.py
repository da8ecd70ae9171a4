"""Which system calls code in the sandbox may not make, as a program for the kernel's filter (seccomp, classic BPF).

It begins no process, so that one limit of memory and of processor time holds for all that it does; it opens no socket;
it takes no memory that no limit counts; and it reaches nothing of the kernel that tests of a function do not need.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in the kernel's `struct seccomp_data`; both kinds of machine are little-endian."""
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NOT_PERMITTED, _NO_SUCH_CALL = 0x00050000 | 1, 0x00050000 | 38
"""SECCOMP_RET_ERRNO with EPERM and with ENOSYS, after which the C library takes `clone` in place of `clone3`."""
_THREAD = 0x00010000
_CLONE3 = 435
_OTHER_ABI = 0x40000000
"""x32: the same calls under other numbers."""

_ON_BOTH = (
    425, 426, 427,  # io_uring_setup, io_uring_enter, io_uring_register
    428, 429, 430, 431, 432, 433, 442,  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
    434, 438, 447,  # pidfd_open, pidfd_getfd, memfd_secret
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`audit`: its AUDIT_ARCH constant. `clone`: that call's number. `denied`: those of what may not be called."""

    audit: int
    clone: int
    denied: Sequence[int]


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(
        audit=0xC000003E, clone=56,
        denied=(
            41,  # socket; socketpair, which asyncio needs, leads nowhere
            57, 58,  # fork, vfork
            29, 64, 68, 240, 319,  # shmget, semget, msgget, mq_open, memfd_create
            101, 310, 311, 312,  # ptrace, process_vm_readv, process_vm_writev, kcmp
            155, 161, 165, 166, 272, 308, 304,  # pivot_root, chroot, mount, umount2, unshare, setns, open_by_handle_at
            248, 249, 250, 298, 321, 323,  # add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd
        ),
    ),
    "aarch64": Machine(
        audit=0xC00000B7, clone=220,
        denied=(
            198,
            194, 190, 186, 180, 279,
            117, 270, 271, 272,
            41, 51, 40, 39, 97, 268, 265,
            217, 218, 219, 241, 280, 282,
        ),
    ),
}  # fmt: skip
"""Numbers from the kernel's syscall tables (arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h)."""


def program(machine: Machine) -> bytes:
    """The filter, as bubblewrap takes it: instructions of eight bytes."""
    denied = (*machine.denied, *_ON_BOTH)
    lines = [
        _line(_LOAD, _MACHINE),
        _line(_JUMP_EQUAL, machine.audit, if_true=1),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER),
        *_answer(_JUMP_AT_LEAST, _OTHER_ABI, _NOT_PERMITTED),
        *_answer(_JUMP_EQUAL, _CLONE3, _NO_SUCH_CALL),
        *(line for number in denied for line in _answer(_JUMP_EQUAL, number, _NOT_PERMITTED)),
        _line(_JUMP_EQUAL, machine.clone, if_false=3),
        _line(_LOAD, _FIRST_ARGUMENT),
        _line(_JUMP_ANY_BIT, _THREAD, if_true=1),
        _line(_RETURN, _NOT_PERMITTED),
        _line(_RETURN, _ALLOW),
    ]
    return b"".join(lines)


def _answer(jump: int, number: int, value: int) -> tuple[bytes, bytes]:
    return _line(jump, number, if_false=1), _line(_RETURN, value)


def _line(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
