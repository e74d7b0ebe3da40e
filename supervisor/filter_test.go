// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// filterInput lays out seccomp_data for bpf.VM, which loads words in network
// byte order where the kernel loads them in host order.
func filterInput(arch, nr uint32, args ...uint64) []byte {
	b := make([]byte, 64)
	binary.BigEndian.PutUint32(b[offNr:], nr)
	binary.BigEndian.PutUint32(b[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(b[offArgs+8*i:], uint32(a))
		binary.BigEndian.PutUint32(b[offArgs+8*i+4:], uint32(a>>32))
	}
	return b
}

func TestFilterDecisions(t *testing.T) {
	const (
		x64    = unix.AUDIT_ARCH_X86_64
		x86    = unix.AUDIT_ARCH_I386
		enosys = retErrno | uint32(unix.ENOSYS)
		noFam  = retErrno | uint32(unix.EAFNOSUPPORT)
		high   = 1 << 40 // an argument whose low word is 0
	)
	cases := []struct {
		name string
		arch uint32
		nr   uint32
		args []uint64
		want uint32
	}{
		{"read", x64, unix.SYS_READ, nil, retAllow},
		{"close", x64, unix.SYS_CLOSE, nil, retAllow},
		{"socketpair", x64, unix.SYS_SOCKETPAIR, []uint64{unix.AF_UNIX}, retAllow},
		{"bind", x64, unix.SYS_BIND, nil, retNotify},
		{"listen", x64, unix.SYS_LISTEN, nil, retNotify},
		{"connect", x64, unix.SYS_CONNECT, nil, retNotify},
		{"accept", x64, unix.SYS_ACCEPT, nil, retNotify},
		{"accept4", x64, unix.SYS_ACCEPT4, nil, retNotify},
		{"getsockname", x64, unix.SYS_GETSOCKNAME, nil, retNotify},
		{"getpeername", x64, unix.SYS_GETPEERNAME, nil, retNotify},
		{"shutdown", x64, unix.SYS_SHUTDOWN, nil, retNotify},
		{"sendmsg", x64, unix.SYS_SENDMSG, nil, retNotify},
		{"recvmsg", x64, unix.SYS_RECVMSG, nil, retNotify},
		{"sendmmsg", x64, unix.SYS_SENDMMSG, nil, retNotify},
		{"recvmmsg", x64, unix.SYS_RECVMMSG, nil, retNotify},
		{"security", x64, 185, nil, retNotify},
		{"socket inet", x64, unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_STREAM}, retNotify},
		{"socket inet6", x64, unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_DGRAM}, retNotify},
		{"socket netlink", x64, unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_RAW}, retNotify},
		{"socket unix", x64, unix.SYS_SOCKET, []uint64{unix.AF_UNIX, unix.SOCK_STREAM}, retAllow},
		{"socket packet", x64, unix.SYS_SOCKET, []uint64{unix.AF_PACKET, unix.SOCK_RAW}, noFam},
		{"socket vsock", x64, unix.SYS_SOCKET, []uint64{unix.AF_VSOCK, unix.SOCK_STREAM}, noFam},
		{"sendto without address", x64, unix.SYS_SENDTO, []uint64{3, 1, 2, 0, 0, 0}, retAllow},
		{"sendto with address", x64, unix.SYS_SENDTO, []uint64{3, 1, 2, 0, 0x1000, 16}, retNotify},
		{"sendto with high address", x64, unix.SYS_SENDTO, []uint64{3, 1, 2, 0, high, 16}, retNotify},
		{"recvfrom without address", x64, unix.SYS_RECVFROM, []uint64{3, 1, 2, unix.MSG_PEEK, 0, 0}, retAllow},
		{"recvfrom with address", x64, unix.SYS_RECVFROM, []uint64{3, 1, 2, 0, 0x1000, 16}, retNotify},
		{"recvfrom with high address", x64, unix.SYS_RECVFROM, []uint64{3, 1, 2, 0, high, 16}, retNotify},
		{"recvfrom MSG_TRUNC", x64, unix.SYS_RECVFROM, []uint64{3, 1, 2, unix.MSG_TRUNC, 0, 0}, retNotify},
		{"recvfrom MSG_ERRQUEUE", x64, unix.SYS_RECVFROM, []uint64{3, 1, 2, unix.MSG_ERRQUEUE, 0, 0}, retNotify},
		{"ioctl TCGETS", x64, unix.SYS_IOCTL, []uint64{1, unix.TCGETS}, retAllow},
		{"ioctl FIONREAD", x64, unix.SYS_IOCTL, []uint64{1, unix.TIOCINQ}, retAllow},
		{"ioctl SIOCATMARK", x64, unix.SYS_IOCTL, []uint64{1, unix.SIOCATMARK}, retAllow},
		{"ioctl below", x64, unix.SYS_IOCTL, []uint64{1, 0x890f}, retAllow},
		{"ioctl first", x64, unix.SYS_IOCTL, []uint64{1, 0x8910}, retNotify},
		{"ioctl SIOCGIFCONF", x64, unix.SYS_IOCTL, []uint64{1, unix.SIOCGIFCONF}, retNotify},
		{"ioctl last", x64, unix.SYS_IOCTL, []uint64{1, 0x89ff}, retNotify},
		{"ioctl above", x64, unix.SYS_IOCTL, []uint64{1, 0x8a00}, retAllow},
		{"getsockopt SO_ERROR", x64, unix.SYS_GETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_ERROR}, retNotify},
		{"getsockopt SO_TYPE", x64, unix.SYS_GETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_TYPE}, retAllow},
		{"getsockopt SO_SNDBUF", x64, unix.SYS_GETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_SNDBUF}, retAllow},
		{"getsockopt TCP_NODELAY", x64, unix.SYS_GETSOCKOPT, []uint64{3, unix.IPPROTO_TCP, unix.TCP_NODELAY}, retNotify},
		{"getsockopt level IP, number of SO_TYPE", x64, unix.SYS_GETSOCKOPT, []uint64{3, unix.IPPROTO_IP, unix.SO_TYPE}, retNotify},
		{"setsockopt SO_REUSEADDR", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_REUSEADDR}, retNotify},
		{"setsockopt SO_REUSEPORT", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_REUSEPORT}, retNotify},
		{"setsockopt SO_LINGER", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_LINGER}, retNotify},
		{"setsockopt SO_RCVTIMEO", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_RCVTIMEO}, retAllow},
		{"setsockopt TCP_CORK", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.IPPROTO_TCP, unix.TCP_CORK}, retErrno},
		{"setsockopt TCP_QUICKACK", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.IPPROTO_TCP, unix.TCP_QUICKACK}, retErrno},
		{"setsockopt TCP_NODELAY", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.IPPROTO_TCP, unix.TCP_NODELAY}, retErrno},
		{"setsockopt TCP_KEEPIDLE", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, retNotify},
		{"setsockopt IPV6_V6ONLY", x64, unix.SYS_SETSOCKOPT, []uint64{3, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}, retNotify},
		{"prctl PR_SET_DUMPABLE", x64, unix.SYS_PRCTL, []uint64{unix.PR_SET_DUMPABLE, 0}, retErrno},
		{"prctl PR_SET_NAME", x64, unix.SYS_PRCTL, []uint64{unix.PR_SET_NAME}, retAllow},
		{"io_uring_setup", x64, unix.SYS_IO_URING_SETUP, nil, enosys},
		{"io_uring_enter", x64, unix.SYS_IO_URING_ENTER, nil, enosys},
		{"io_uring_register", x64, unix.SYS_IO_URING_REGISTER, nil, enosys},
		{"x32 connect", x64, x32Bit | unix.SYS_CONNECT, nil, enosys},
		{"x32 read", x64, x32Bit, nil, enosys},
		{"i386 read", x86, 3, nil, retAllow},
		{"i386 socketcall", x86, 102, nil, retNotify},
		{"i386 socket inet", x86, 359, []uint64{unix.AF_INET}, retNotify},
		{"i386 socket unix", x86, 359, []uint64{unix.AF_UNIX}, retAllow},
		{"i386 socket packet", x86, 359, []uint64{unix.AF_PACKET}, noFam},
		{"i386 socketpair", x86, 360, []uint64{unix.AF_UNIX}, retAllow},
		{"i386 bind", x86, 361, nil, retNotify},
		{"i386 shutdown", x86, 373, nil, retNotify},
		{"i386 374", x86, 374, nil, retAllow},
		{"i386 x86-64's connect number", x86, unix.SYS_CONNECT, nil, retAllow},
		{"i386 recvmmsg", x86, 337, nil, retNotify},
		{"i386 sendmmsg", x86, 345, nil, retNotify},
		{"i386 ioctl SIOCGIFCONF", x86, 54, []uint64{1, unix.SIOCGIFCONF}, retNotify},
		{"i386 ioctl TCGETS", x86, 54, []uint64{1, unix.TCGETS}, retAllow},
		{"i386 PR_SET_DUMPABLE", x86, 172, []uint64{unix.PR_SET_DUMPABLE}, retErrno},
		{"i386 io_uring_setup", x86, 425, nil, enosys},
		{"another architecture", unix.AUDIT_ARCH_ARM, unix.SYS_READ, nil, enosys},
	}
	vm, err := bpf.NewVM(filterProgram(false))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, err := vm.Run(filterInput(c.arch, c.nr, c.args...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if uint32(got) != c.want {
			t.Errorf("%s: got %#x, want %#x", c.name, uint32(got), c.want)
		}
	}
}

// Each native option is decided without a notification in the directions it
// is listed for, and only at level SOL_SOCKET.
func TestFilterNativeOptions(t *testing.T) {
	vm, err := bpf.NewVM(filterProgram(false))
	if err != nil {
		t.Fatal(err)
	}
	for opt := uint32(0); opt < 128; opt++ {
		for _, nr := range []uint32{unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT} {
			list := nativeGetOptions
			if nr == unix.SYS_SETSOCKOPT {
				list = nativeOptions
			}
			want := uint32(retNotify)
			for _, o := range list {
				if o == opt {
					want = retAllow
				}
			}
			got, err := vm.Run(filterInput(unix.AUDIT_ARCH_X86_64, nr, 3, unix.SOL_SOCKET, uint64(opt)))
			if err != nil || uint32(got) != want {
				t.Errorf("call %d option %d: got %#x, %v; want %#x", nr, opt, uint32(got), err, want)
			}
		}
	}
}

// On a host with access control files and programs are reported too, and writes to the numbers of attributes.
func TestFilterLabelled(t *testing.T) {
	const x64, x86 = unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386
	cases := []struct {
		arch, nr uint32
		fd       uint64
		want     uint32
	}{
		{x64, unix.SYS_OPEN, 0, retNotify},
		{x64, unix.SYS_OPENAT, 0, retNotify},
		{x64, unix.SYS_OPENAT2, 0, retNotify},
		{x64, unix.SYS_EXECVE, 0, retNotify},
		{x64, unix.SYS_EXECVEAT, 0, retNotify},
		{x64, unix.SYS_READ, firstAttribute, retAllow},
		{x64, unix.SYS_WRITE, 1, retAllow},
		{x64, unix.SYS_WRITE, firstAttribute - 1, retAllow},
		{x64, unix.SYS_WRITE, firstAttribute, retNotify},
		{x64, unix.SYS_WRITE, lastAttribute, retNotify},
		{x64, unix.SYS_WRITE, lastAttribute + 1, retAllow},
		{x64, unix.SYS_WRITEV, lastAttribute, retNotify},
		{x64, unix.SYS_PWRITE64, lastAttribute, retNotify},
		{x64, unix.SYS_CONNECT, 0, retNotify},
		{x86, i386Open, 0, retNotify},
		{x86, i386Openat, 0, retNotify},
		{x86, unix.SYS_OPENAT2, 0, retNotify},
		{x86, i386Execve, 0, retNotify},
		{x86, i386Execveat, 0, retNotify},
		{x86, i386Write, 1, retAllow},
		{x86, i386Write, lastAttribute, retNotify},
		{x86, i386Writev, lastAttribute, retNotify},
	}
	plain, err := bpf.NewVM(filterProgram(false))
	if err != nil {
		t.Fatal(err)
	}
	labelled, err := bpf.NewVM(filterProgram(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		in := filterInput(c.arch, c.nr, c.fd)
		if got, err := labelled.Run(in); err != nil || uint32(got) != c.want {
			t.Errorf("arch %#x call %d, %d: got %#x, %v; want %#x", c.arch, c.nr, c.fd, uint32(got), err, c.want)
		}
		if got, err := plain.Run(in); err != nil || uint32(got) != retAllow && c.nr != unix.SYS_CONNECT {
			t.Errorf("arch %#x call %d, %d, without access control: got %#x, %v", c.arch, c.nr, c.fd, uint32(got), err)
		}
	}
}
