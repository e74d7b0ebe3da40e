// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What the filter answers, SECCOMP_RET_* of seccomp(2).
const (
	retNotify = unix.SECCOMP_RET_USER_NOTIF
	retAllow  = unix.SECCOMP_RET_ALLOW
	retErrno  = unix.SECCOMP_RET_ERRNO // plus the errno; plus 0: the call returns 0 undone
)

// Offsets in struct seccomp_data. An argument's low word comes first.
const (
	offNr   = 0
	offArch = 4
	offArgs = 16
)

const x32Bit = 0x40000000 // set in the number of a call by the x32 ABI

// sysSecurity is 185, "security" in the kernel's table: reserved, never
// implemented. connect_secure(2) and its family use it.
const sysSecurity = unix.SYS_SECURITY

// Numbers of i386 (arch/x86/entry/syscalls/syscall_32.tbl).
const (
	i386Ioctl       = 54
	i386Socketcall  = 102
	i386Prctl       = 172
	i386Recvmmsg    = 337
	i386Sendmmsg    = 345
	i386Socket      = 359
	i386Bind        = 361
	i386Connect     = 362
	i386Listen      = 363
	i386Accept4     = 364
	i386Getsockopt  = 365
	i386Setsockopt  = 366
	i386Getsockname = 367
	i386Getpeername = 368
	i386Sendto      = 369
	i386Sendmsg     = 370
	i386Recvfrom    = 371
	i386Recvmsg     = 372
	i386Shutdown    = 373
	i386Recvmmsg64  = 417

	i386Write    = 4
	i386Open     = 5
	i386Execve   = 11
	i386Writev   = 146
	i386Openat   = 295
	i386Execveat = 358
)

// alwaysNotified are the x86-64 calls reported whatever their arguments.
var alwaysNotified = []uint32{
	unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_CONNECT, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
	unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,
	unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SENDMMSG, unix.SYS_RECVMMSG, sysSecurity,
}

// alwaysNotified32 are the i386 calls reported whatever their arguments:
// socketcall(2) keeps its arguments in memory, out of the filter's sight.
var alwaysNotified32 = []uint32{
	i386Socketcall, i386Recvmmsg, i386Sendmmsg, i386Bind, i386Connect, i386Listen, i386Accept4,
	i386Getsockopt, i386Setsockopt, i386Getsockname, i386Getpeername, i386Sendto, i386Sendmsg,
	i386Recvfrom, i386Recvmsg, i386Shutdown, i386Recvmmsg64,
}

// ioUring calls reach sockets without passing the filter again, so there is no
// io_uring: programs fall back. The numbers are the same in both ABIs.
var ioUring = []uint32{unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER}

// nativeOptions are SOL_SOCKET options that the AF_UNIX socket under the
// target's descriptor carries out as an inet socket would.
var (
	nativeOptions = []uint32{
		unix.SO_RCVTIMEO, unix.SO_SNDTIMEO, soRcvtimeoNew, soSndtimeoNew,
		unix.SO_RCVLOWAT, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_PRIORITY, unix.SO_PASSCRED,
	}
	nativeGetOptions = append(slices.Clone(nativeOptions), unix.SO_SNDBUF, unix.SO_RCVBUF,
		unix.SO_TYPE, unix.SO_ACCEPTCONN)
)

const (
	soRcvtimeoNew = 66 // SO_RCVTIMEO_NEW: the 64-bit form, used by i386 alone
	soSndtimeoNew = 67
)

// undoneTCPOptions are accepted without being asked for: servers set them for
// each answer, and a notification would cost more than the answer.
var undoneTCPOptions = []uint32{unix.TCP_NODELAY, unix.TCP_CORK, unix.TCP_QUICKACK}

// labelCalls are reported besides, whatever their arguments, on hosts with
// access control: a process's label is read and set by files, and changes with
// the program. See attributes.go and lineage.go.
var (
	labelCalls   = []uint32{unix.SYS_OPEN, unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_EXECVE, unix.SYS_EXECVEAT}
	labelCalls32 = []uint32{i386Open, i386Openat, unix.SYS_OPENAT2, i386Execve, i386Execveat}
)

// filterProgram is the filter under which every target runs, on a host with
// access control or without. Calls that are always allowed are decided by
// number alone; the kernel caches those and does not run the program for them
// again.
func filterProgram(labelled bool) []bpf.Instruction {
	var labels, labels32 []bpf.Instruction
	if labelled {
		labels = slices.Concat(anyOf(labelCalls, give(retNotify)),
			onNumber(unix.SYS_WRITE, writeRules()), onNumber(unix.SYS_WRITEV, writeRules()), onNumber(unix.SYS_PWRITE64, writeRules()))
		labels32 = slices.Concat(anyOf(labelCalls32, give(retNotify)),
			onNumber(i386Write, writeRules()), onNumber(i386Writev, writeRules()))
	}
	i386 := slices.Concat(
		[]bpf.Instruction{load(offNr)},
		anyOf(alwaysNotified32, give(retNotify)),
		anyOf(ioUring, errnoReturn(unix.ENOSYS)),
		onNumber(i386Socket, socketRules()),
		onNumber(i386Ioctl, ioctlRules()),
		onNumber(i386Prctl, prctlRules()),
		labels32,
		allow(),
	)
	if len(i386) > 255 {
		panic("supervisor: the i386 block is too long for one jump")
	}
	return slices.Concat(
		[]bpf.Instruction{
			load(offArch),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AUDIT_ARCH_I386, SkipFalse: uint8(len(i386))},
		},
		i386,
		// The accumulator still holds the architecture when the jump is taken.
		onNotEqual(unix.AUDIT_ARCH_X86_64, errnoReturn(unix.ENOSYS)),
		[]bpf.Instruction{load(offNr)},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1}},
		errnoReturn(unix.ENOSYS),
		anyOf(alwaysNotified, give(retNotify)),
		anyOf(ioUring, errnoReturn(unix.ENOSYS)),
		onNumber(unix.SYS_SOCKET, socketRules()),
		onNumber(unix.SYS_SENDTO, sendtoRules()),
		onNumber(unix.SYS_RECVFROM, recvfromRules()),
		onNumber(unix.SYS_IOCTL, ioctlRules()),
		onNumber(unix.SYS_GETSOCKOPT, getsockoptRules()),
		onNumber(unix.SYS_SETSOCKOPT, setsockoptRules()),
		onNumber(unix.SYS_PRCTL, prctlRules()),
		labels,
		allow(),
	)
}

// socketRules report the families served here; AF_UNIX and AF_ALG stay the
// kernel's; the rest would reach the real machine and does not exist.
func socketRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(0))},
		anyOf([]uint32{unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}, give(retNotify)),
		anyOf([]uint32{unix.AF_UNIX, unix.AF_ALG}, allow()),
		errnoReturn(unix.EAFNOSUPPORT),
	)
}

// sendtoRules report calls with a destination address; without one the bytes
// go where the descriptor leads. Urgent ones go nowhere: see urgent.
func sendtoRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(3))},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: unix.MSG_OOB, SkipTrue: 1}},
		give(retNotify),
		addressRules(),
	)
}

// addressRules report calls whose fifth argument points to an address.
func addressRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(4))},
		onNotEqual(0, give(retNotify)),
		[]bpf.Instruction{load(arg(4) + 4)},
		onNotEqual(0, give(retNotify)),
		allow(),
	)
}

// recvfromRules report calls that ask for the source address, or with flags
// that AF_UNIX treats otherwise.
func recvfromRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(3))},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: unix.MSG_TRUNC | unix.MSG_ERRQUEUE, SkipTrue: 1}},
		give(retNotify),
		addressRules(),
	)
}

// ioctlRules report the socket and interface requests of netdevice(7).
func ioctlRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(1))},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 0x8910, SkipTrue: 2}},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 0x89ff, SkipTrue: 1}},
		give(retNotify),
		allow(),
	)
}

func getsockoptRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(1))},
		onNotEqual(unix.SOL_SOCKET, give(retNotify)),
		[]bpf.Instruction{load(arg(2))},
		anyOf(nativeGetOptions, allow()),
		give(retNotify),
	)
}

func setsockoptRules() []bpf.Instruction {
	tcp := slices.Concat(
		[]bpf.Instruction{load(arg(2))},
		anyOf(undoneTCPOptions, errnoReturn(0)),
		give(retNotify),
	)
	return slices.Concat(
		[]bpf.Instruction{load(arg(1))},
		onNumber(unix.IPPROTO_TCP, tcp),
		onNotEqual(unix.SOL_SOCKET, give(retNotify)),
		[]bpf.Instruction{load(arg(2))},
		anyOf(nativeOptions, allow()),
		give(retNotify),
	)
}

// writeRules report writes to the descriptors that attributes.go gives out.
func writeRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(0))},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpLessThan, Val: firstAttribute, SkipTrue: 2}},
		[]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: lastAttribute, SkipTrue: 1}},
		give(retNotify),
		allow(),
	)
}

// prctlRules keep the target dumpable: pidfd_getfd(2) and process_vm_readv(2)
// need that of an unprivileged supervisor.
func prctlRules() []bpf.Instruction {
	return slices.Concat(
		[]bpf.Instruction{load(arg(0))},
		anyOf([]uint32{unix.PR_SET_DUMPABLE}, errnoReturn(0)),
		allow(),
	)
}

func load(off uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: off, Size: 4} }

// arg is the offset of argument n's low word.
func arg(n uint32) uint32 { return offArgs + 8*n }

func give(ret uint32) []bpf.Instruction { return []bpf.Instruction{bpf.RetConstant{Val: ret}} }

func allow() []bpf.Instruction { return give(retAllow) }

func errnoReturn(e unix.Errno) []bpf.Instruction { return give(retErrno | uint32(e)) }

// onNumber runs body, which must end in a return, when the accumulator is n.
func onNumber(n uint32, body []bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: n, SkipFalse: uint8(len(body))}}, body...)
}

// onNotEqual runs body, which must end in a return, when the accumulator is not n.
func onNotEqual(n uint32, body []bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: n, SkipTrue: uint8(len(body))}}, body...)
}

// anyOf runs body, which must end in a return, when the accumulator is one of ns.
func anyOf(ns []uint32, body []bpf.Instruction) []bpf.Instruction {
	var out []bpf.Instruction
	for i, n := range ns {
		last := i == len(ns)-1
		j := bpf.JumpIf{Cond: bpf.JumpEqual, Val: n, SkipTrue: uint8(len(ns) - 1 - i)}
		if last {
			j.SkipFalse = uint8(len(body))
		}
		out = append(out, j)
	}
	return append(out, body...)
}

// installFilter puts the calling thread, and what it execs, under the filter
// and returns the listener's descriptor. It needs no_new_privs.
func installFilter(labelled bool) (int, error) {
	raw, err := bpf.Assemble(filterProgram(labelled))
	if err != nil {
		return -1, fmt.Errorf("assemble the filter: %w", err)
	}
	prog := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		prog[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	fd, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&fprog)))
	switch e {
	case 0:
		return int(fd), nil
	case unix.EBUSY:
		return -1, fmt.Errorf("another supervisor already serves this process (seccomp: %w); supervisors don't nest", e)
	default:
		return -1, fmt.Errorf("seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER): %w", e)
	}
}
