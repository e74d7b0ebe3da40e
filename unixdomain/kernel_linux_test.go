// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/socket"
)

// kernel does the steps of a script on the running kernel, as far as they don't wait.
type kernel struct {
	dir   string // what stands for the root directory
	files map[string]int
	open  []int // descriptors to close in the end
}

// TestAgreesWithKernel makes the same random calls here and on the running kernel, and compares each result: errors,
// data, names, and what poll says.
//
// Older kernels differ in two things: before 6.14, send without a peer is ENOTCONN even if the half is shut; before 6.16,
// SO_PASSCRED is not inherited.
func TestAgreesWithKernel(t *testing.T) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	release := unix.ByteSliceToString(u.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil || major < 6 || major == 6 && minor < 16 {
		t.Skipf("the kernel here, %s, is older than 6.16", release)
	}
	top, n := kernelDirectory(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		k := &kernel{dir: fmt.Sprintf("%s/%d", top, n), files: map[string]int{}}
		defer k.close()
		if err := os.Mkdir(k.dir, 0o755); err != nil {
			rt.Fatal(err)
		}
		w := newWorld(t, personality.Linux)
		typ := rapid.SampledFrom([]string{"stream", "dgram", "seqpacket", "mixed"}).Draw(rt, "type")
		kinds := []string{typ}
		if typ == "mixed" {
			kinds = kinds3
		}
		both := func(step string) {
			f := strings.Fields(step)
			ours, theirs := w.step(f), k.step(f)
			if !same(ours, theirs) {
				rt.Fatalf("%s = %s, on the kernel %s", step, ours, theirs)
			}
			rt.Logf("%s = %s", step, ours)
			for _, s := range w.sockets { // those that accept and socketpair made
				s.SetNonBlocking(true)
			}
		}
		for _, s := range socketNames {
			both("socket " + s + " " + rapid.SampledFrom(kinds).Draw(rt, "type") + " nonblocking")
		}
		for i := range 40 {
			both(drawStep(rt, kinds, i))
			both("poll " + rapid.SampledFrom(socketNames).Draw(rt, "polled"))
		}
	})
}

var (
	socketNames = []string{"a", "b", "c", "d"}
	kinds3      = []string{"stream", "dgram", "seqpacket"}
)

// drawStep draws a call. i makes what is sent recognizable.
func drawStep(t *rapid.T, kinds []string, i int) string {
	s := rapid.SampledFrom(socketNames).Draw(t, "socket")
	to := rapid.SampledFrom([]string{"/x", "/y", "@z", "/none", "unspec"}).Draw(t, "address")
	switch verb := rapid.SampledFrom([]string{
		"bind", "bind", "listen", "listen", "connect", "connect", "connect", "accept", "accept", "send", "send", "send",
		"sendto", "recv", "recv", "peek", "name", "peer", "error", "shutdown", "close", "pair",
		"flood", "flood", "drain", "passcred", "remove", "option", "sndbuf", "peercred",
	}).Draw(t, "call"); verb {
	case "bind":
		return "bind " + s + " " + strings.ReplaceAll(to, "none", "x")
	case "connect":
		return "connect " + s + " " + to
	case "listen":
		return "listen " + s + " " + strconv.Itoa(rapid.IntRange(0, 2).Draw(t, "backlog"))
	case "accept":
		return "accept " + s + " " + rapid.SampledFrom(socketNames).Draw(t, "accepted")
	case "send":
		return "send " + s + " " + strings.Repeat(strconv.Itoa(i), rapid.IntRange(1, 3).Draw(t, "length"))
	case "sendto":
		return "sendto " + s + " " + strconv.Itoa(i) + " " + to
	case "shutdown":
		return "shutdown " + s + " " + rapid.SampledFrom([]string{"RD", "WR", "RDWR"}).Draw(t, "how")
	case "close":
		return "renew " + s + " " + rapid.SampledFrom(kinds).Draw(t, "type")
	case "passcred":
		return "passcred " + s + " " + rapid.SampledFrom([]string{"on", "off"}).Draw(t, "on")
	case "flood":
		return "flood " + s + " " + strconv.Itoa(rapid.SampledFrom([]int{1000, 30000, 100000}).Draw(t, "bytes"))
	case "remove":
		return "remove /x"
	case "option":
		return "option " + s + " " + strconv.Itoa(rapid.SampledFrom([]int{
			unix.SO_TYPE, unix.SO_PASSCRED, unix.SO_ACCEPTCONN, unix.SO_PROTOCOL, unix.SO_DOMAIN, unix.SO_SNDBUF,
		}).Draw(t, "option"))
	case "sndbuf":
		return "sndbuf " + s + " " + strconv.Itoa(rapid.SampledFrom([]int{0, 4096, 50000, 200000}).Draw(t, "bytes"))
	case "pair":
		return "pair a b " + rapid.SampledFrom(kinds).Draw(t, "type")
	default:
		return verb + " " + s
	}
}

// kernelDirectory returns a temporary directory with a name so short that paths in it fit into sun_path.
func kernelDirectory(t *testing.T) string {
	dir, err := os.MkdirTemp("", "u")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if len(dir) > 80 {
		t.Skipf("the directory for temporary files, %s, is too long for socket names", dir)
	}
	return dir
}

func (k *kernel) close() {
	for _, fd := range k.open {
		unix.Close(fd)
	}
}

// set gives a descriptor a name. Whatever had it stays open.
func (k *kernel) set(name string, fd int) {
	unix.SetNonblock(fd, true)
	k.files[name] = fd
	k.open = append(k.open, fd)
}

// forget closes a descriptor.
func (k *kernel) forget(fd int) {
	unix.Close(fd)
	k.open = slices.DeleteFunc(k.open, func(open int) bool { return open == fd })
}

// path returns a step's name as the kernel knows it. Abstract names are all the machine's.
func (k *kernel) path(word string) string {
	if word[0] == '@' {
		return "@" + k.dir + word[1:]
	}
	return k.dir + word
}

func (k *kernel) address(word string) []byte {
	if word == "unspec" {
		return make([]byte, 16)
	}
	b := append([]byte{unix.AF_UNIX, 0}, k.path(word)...)
	if word[0] == '@' {
		b[2] = 0
		return b
	}
	return append(b, 0)
}

// withAddress makes a system call whose last two arguments are an address's.
func withAddress(trap uintptr, fd int, b []byte) error {
	if _, _, e := unix.Syscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))); e != 0 {
		return e
	}
	return nil
}

func (k *kernel) step(f []string) string {
	verb, arg := f[0], f[1:]
	if verb == "remove" {
		return kernelName(unix.Unlink(k.dir + arg[0]))
	}
	fd := k.files[arg[0]]
	switch verb {
	case "renew":
		k.forget(fd)
		fallthrough
	case "socket":
		fresh, err := unix.Socket(unix.AF_UNIX, int(types[arg[1]]), 0)
		k.set(arg[0], fresh)
		return kernelName(err)
	case "pair":
		p, err := unix.Socketpair(unix.AF_UNIX, int(types[arg[2]]), 0)
		k.set(arg[0], p[0])
		k.set(arg[1], p[1])
		return kernelName(err)
	case "bind":
		return kernelName(withAddress(unix.SYS_BIND, fd, k.address(arg[1])))
	case "connect":
		return kernelName(withAddress(unix.SYS_CONNECT, fd, k.address(arg[1])))
	case "listen":
		return kernelName(unix.Listen(fd, number(arg[1])))
	case "accept":
		fresh, _, err := unix.Accept(fd)
		if err == nil {
			k.set(arg[1], fresh)
		}
		return kernelName(err)
	case "send":
		return kernelAmount(unix.SendmsgN(fd, []byte(arg[1]), nil, nil, unix.MSG_NOSIGNAL))
	case "sendto":
		data, to := []byte(arg[1]), k.address(arg[2])
		n, _, e := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)),
			unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to[0])), uintptr(len(to)))
		if e != 0 {
			return kernelName(e)
		}
		return strconv.Itoa(int(n))
	case "recv", "peek":
		b := make([]byte, 100)
		n, _, err := unix.Recvfrom(fd, b, map[string]int{"recv": 0, "peek": unix.MSG_PEEK}[verb])
		if err != nil || n == 0 {
			return kernelAmount(n, err)
		}
		return strconv.Quote(string(b[:n]))
	case "poll":
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLPRI | unix.POLLOUT | unix.POLLRDHUP}}
		if _, err := unix.Poll(p, 0); err != nil {
			return kernelName(err)
		}
		return socket.Events(p[0].Revents).String()
	case "option":
		return kernelAmount(unix.GetsockoptInt(fd, unix.SOL_SOCKET, number(arg[1])))
	case "sndbuf":
		return kernelName(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, number(arg[1])))
	case "peercred": // whether it is known
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return kernelName(err)
		}
		return strconv.FormatBool(cred.Pid != 0)
	case "flood":
		return kernelAmount(unix.SendmsgN(fd, make([]byte, number(arg[1])), nil, nil, unix.MSG_NOSIGNAL))
	case "drain":
		n, _, err := unix.Recvfrom(fd, make([]byte, 1<<20), 0)
		return kernelAmount(n, err)
	case "passcred":
		return kernelName(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, map[string]int{"on": 1}[arg[1]]))
	case "name":
		return k.nameOf(unix.Getsockname(fd))
	case "peer":
		return k.nameOf(unix.Getpeername(fd))
	case "error":
		n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return kernelName(err)
		}
		return errno.Errno(n).Name()
	case "shutdown":
		return kernelName(unix.Shutdown(fd, map[string]int{"RD": unix.SHUT_RD, "WR": unix.SHUT_WR, "RDWR": unix.SHUT_RDWR}[arg[1]]))
	}
	panic(verb)
}

func (k *kernel) nameOf(sa unix.Sockaddr, err error) string {
	if err != nil {
		return kernelName(err)
	}
	name := sa.(*unix.SockaddrUnix).Name
	if name == "" || name == "@" { // x/sys has both for no name
		return "unnamed"
	}
	return strings.Replace(name, k.dir, "", 1)
}

// same reports whether two results are the same, but for which name an autobind gave.
func same(ours, theirs string) bool {
	return ours == theirs || autobound.MatchString(ours) && autobound.MatchString(theirs)
}

func kernelName(err error) string {
	var e syscall.Errno
	if err != nil && !errors.As(err, &e) {
		return err.Error()
	}
	return errno.Errno(e).Name()
}

func kernelAmount(n int, err error) string {
	if err != nil {
		return kernelName(err)
	}
	return strconv.Itoa(n)
}
