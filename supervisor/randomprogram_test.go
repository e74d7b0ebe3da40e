// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The random program's descriptors: below are those of Go's runtime, above is
// EMFILE.
const (
	firstRandom = 12
	endRandom   = 36
)

// roleRandom makes random calls on three threads for a while. Where one waits,
// another takes its place.
func roleRandom() int {
	seed, err := strconv.ParseUint(argument(1), 10, 64)
	must(err)
	signal.Ignore(unix.SIGCHLD, unix.SIGPIPE)
	time.Sleep(time.Millisecond) // the runtime opens what it needs for timers
	for fd := 0; fd < firstRandom-1; {
		fd, err = unix.Open("/dev/null", unix.O_RDWR, 0)
		must(err)
	}
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: endRandom, Max: endRandom}))
	const workers, most = 3, 12
	var players []*player
	start := func() {
		p := newPlayer(seed, uint64(len(players)), [4]byte(parseIPv4(argument(2))))
		players = append(players, p)
		go p.play()
	}
	for range workers {
		start()
	}
	seen := make([]uint64, most)
	for range 10 { // as long as it plays
		time.Sleep(40 * time.Millisecond)
		for i, p := range players {
			if n := p.calls.Load(); n == seen[i] && len(players) < most {
				start()
			} else {
				seen[i] = n
			}
		}
	}
	fmt.Print("ok")
	os.Exit(0) // whatever the threads do
	return 0
}

// A player is a thread that makes random calls. Its memory has pages that can
// be written, one that can only be read and one that can't.
type player struct {
	*rand.Rand
	calls atomic.Uint64
	web   [4]byte
	mem   []byte
	used  int // of the memory, by the call under construction
	forks int
}

const (
	page  = 4096
	arena = 16 * page
)

func newPlayer(seed, n uint64, web [4]byte) *player {
	mem, err := unix.Mmap(-1, 0, arena+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	must(err)
	must(unix.Mprotect(mem[arena:arena+page], unix.PROT_READ))
	must(unix.Mprotect(mem[arena+page:], unix.PROT_NONE))
	return &player{Rand: rand.New(rand.NewPCG(seed, n)), web: web, mem: mem}
}

func (p *player) play() {
	lockThread()
	for {
		p.used = 0
		nr, args := p.call()
		switch nr {
		case unix.SYS_CLONE:
			p.fork()
		case unix.SYS_SOCKET:
			if fd, ok := p.do(nr, args); ok {
				p.furnish(fd)
			}
		default:
			p.do(nr, args)
		}
	}
}

func (p *player) do(nr uintptr, a [6]uintptr) (result uintptr, ok bool) {
	r, _, e := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	p.calls.Add(1)
	return r, e == 0
}

// furnish makes something of a new socket as a rule: chance alone would seldom
// have two connected.
func (p *player) furnish(fd uintptr) {
	if p.IntN(8) > 0 {
		for _, option := range []uintptr{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
			p.do(unix.SYS_SETSOCKOPT, [6]uintptr{fd, unix.SOL_SOCKET, option, p.put(timeval20ms), 16})
		}
	}
	switch p.IntN(4) {
	case 0:
		a, n := p.address()
		p.do(unix.SYS_BIND, [6]uintptr{fd, a, n})
		if _, ok := p.do(unix.SYS_LISTEN, [6]uintptr{fd, p.one(0, 1, 5)}); ok {
			lastListener.Store(uint64(fd))
		}
	case 1, 2:
		a, n := p.address()
		p.do(unix.SYS_CONNECT, [6]uintptr{fd, a, n})
	}
}

// lastListener is what accept is called on as often as not.
var lastListener atomic.Uint64

var timeval20ms = binary.NativeEndian.AppendUint64(make([]byte, 8), 20000)

func (p *player) one(of ...int) uintptr { return uintptr(of[p.IntN(len(of))]) }

// often is a in three of four cases, else b.
func (p *player) often(a, b uintptr) uintptr {
	if p.IntN(4) > 0 {
		return a
	}
	return b
}

// fd is a descriptor, which may be open.
func (p *player) fd() uintptr {
	if p.IntN(50) == 0 {
		return p.one(-1, 0, 1000, 1<<31-1, 1<<31)
	}
	return uintptr(firstRandom + p.IntN(endRandom-firstRandom))
}

// room is memory for n bytes, which a call fills or reads.
func (p *player) room(n int) uintptr {
	base := uintptr(unsafe.Pointer(&p.mem[0]))
	switch p.IntN(40) {
	case 0:
		return p.one(0, 1, -1, 1<<47, -1<<63)
	case 1:
		return base + uintptr(arena+p.IntN(2*page))
	case 2:
		return base + uintptr(arena+page-p.IntN(n+1)) // runs into the page that can't be read
	case 3:
		return base + uintptr(arena-p.IntN(n+1)) // into the one that can't be written
	}
	return base + uintptr(p.take(n))
}

// take sets n bytes of the memory aside.
func (p *player) take(n int) int {
	if p.used+n > arena {
		p.used = 0
	}
	at := p.used
	p.used += (n + 7) &^ 7
	return at
}

// put stores b, and returns where.
func (p *player) put(b []byte) uintptr {
	at := p.take(len(b))
	copy(p.mem[at:], b)
	if p.IntN(40) == 0 {
		return p.room(len(b))
	}
	return uintptr(unsafe.Pointer(&p.mem[at]))
}

func (p *player) number(n int) uintptr {
	return p.put(binary.NativeEndian.AppendUint32(nil, uint32(n)))
}

// size is how long something is.
func (p *player) size(right int) int {
	if p.IntN(20) == 0 {
		return int(p.one(0, -1, 1, right-1, right+1, 65536, 1<<31-1, 1<<31, 1<<40))
	}
	return right
}

// length is how many bytes are moved, which are there as a rule.
func (p *player) length() int {
	return int(p.one(0, 1, 7, 100, 100, 1400, 9000, 40000))
}

func (p *player) port() uint16 { return uint16(p.one(0, 1, 7, 4000, 4000, 4000, 4001, 4002)) }

func (p *player) addressBytes() []byte {
	var b []byte
	port := p.port()
	switch p.IntN(12) {
	case 0:
		b = make([]byte, 16) // AF_UNSPEC
	case 1, 2:
		b = binary.NativeEndian.AppendUint16(nil, unix.AF_INET6)
		b = binary.BigEndian.AppendUint16(b, port)
		b = append(b, 0, 0, 0, 0)
		ip := make([]byte, 16)
		switch p.IntN(3) {
		case 0:
			ip[15] = 1
		case 1:
			ip[10], ip[11] = 0xff, 0xff
			copy(ip[12:], loopback[:])
		}
		b = append(append(b, ip...), 0, 0, 0, 0)
	case 3:
		b = make([]byte, p.IntN(130))
		for i := range b {
			b[i] = byte(p.Uint32())
		}
	case 4:
		b = append(binary.NativeEndian.AppendUint16(nil, unix.AF_NETLINK), make([]byte, 10)...)
	default:
		b = binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
		b = binary.BigEndian.AppendUint16(b, port)
		ip := loopback
		switch p.IntN(4) {
		case 0:
			ip = p.web
		case 1:
			ip = [4]byte{byte(p.one(0, 203, 224, 255)), 0, 113, 9}
		}
		b = append(append(b, ip[:]...), make([]byte, 8)...)
	}
	return b
}

func (p *player) address() (ptr, length uintptr) {
	b := p.addressBytes()
	return p.put(b), uintptr(p.size(len(b)))
}

// answer is where an address goes, and its length.
func (p *player) answer() (ptr, lenPtr uintptr) {
	if p.IntN(4) == 0 {
		return 0, 0
	}
	return p.room(128), p.number(p.size(int(p.one(16, 28, 128))))
}

func (p *player) flags() uintptr {
	flags := 0
	for range p.IntN(3) {
		flags |= int(p.one(unix.MSG_DONTWAIT, unix.MSG_DONTWAIT, unix.MSG_PEEK, unix.MSG_TRUNC, unix.MSG_WAITALL, unix.MSG_OOB,
			unix.MSG_ERRQUEUE, unix.MSG_NOSIGNAL, unix.MSG_MORE, unix.MSG_WAITFORONE, unix.MSG_CMSG_CLOEXEC, unix.MSG_FASTOPEN, 1<<p.IntN(32)))
	}
	return uintptr(flags)
}

// header is a struct msghdr.
func (p *player) header() []byte {
	var iov []byte
	n := int(p.one(0, 1, 1, 1, 2, 5, 200))
	for range n {
		l := min(p.length(), arena/4/n)
		iov = binary.NativeEndian.AppendUint64(iov, uint64(p.room(l)))
		iov = binary.NativeEndian.AppendUint64(iov, uint64(p.size(l)))
	}
	word := binary.NativeEndian.AppendUint64
	var b []byte
	if p.IntN(2) == 0 {
		ptr, l := p.address()
		b = word(word(b, uint64(ptr)), uint64(l))
	} else {
		b = word(word(b, 0), 0)
	}
	b = word(word(b, uint64(p.put(iov))), uint64(p.size(n)))
	switch p.IntN(4) {
	case 0:
		b = word(word(b, uint64(p.put(p.rights()))), uint64(p.size(20)))
	case 1:
		b = word(word(b, uint64(p.room(64))), uint64(p.size(64)))
	default:
		b = word(word(b, 0), 0)
	}
	return word(b, 0)
}

// rights passes a descriptor (SCM_RIGHTS).
func (p *player) rights() []byte {
	return unix.UnixRights(int(int32(p.fd())))
}

func (p *player) option() (level, name uintptr) {
	switch p.IntN(6) {
	case 0:
		return uintptr(p.IntN(300)), uintptr(p.IntN(100))
	case 1:
		return unix.IPPROTO_TCP, uintptr(p.IntN(40))
	case 2:
		return p.one(unix.IPPROTO_IP, unix.IPPROTO_IPV6), uintptr(p.IntN(80))
	}
	return unix.SOL_SOCKET, uintptr(p.IntN(84))
}

// call is the next call.
func (p *player) call() (nr uintptr, a [6]uintptr) {
	a[0] = p.fd()
	switch p.IntN(64) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		a[0] = p.one(unix.AF_INET, unix.AF_INET, unix.AF_INET, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_UNIX, 77)
		a[1] = p.often(unix.SOCK_STREAM, p.one(unix.SOCK_DGRAM, unix.SOCK_DGRAM, unix.SOCK_RAW, unix.SOCK_SEQPACKET, 99)) |
			p.often(unix.SOCK_NONBLOCK, p.one(0, 0, unix.SOCK_CLOEXEC))
		a[2] = p.often(0, p.one(0, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_ICMP, 300))
		return unix.SYS_SOCKET, a
	case 8, 9, 10:
		a[1], a[2] = p.address()
		return unix.SYS_BIND, a
	case 11, 12, 13, 14, 15, 16, 17, 18, 19:
		a[1], a[2] = p.address()
		return unix.SYS_CONNECT, a
	case 20, 21, 22, 23:
		a[1] = p.one(0, 1, 5, 100, -1)
		return unix.SYS_LISTEN, a
	case 24, 25, 26, 27, 28:
		if p.IntN(2) == 0 {
			a[0] = uintptr(lastListener.Load())
		}
		a[1], a[2] = p.answer()
		a[3] = p.often(unix.SOCK_NONBLOCK, p.one(0, unix.SOCK_CLOEXEC, 77))
		return p.often(unix.SYS_ACCEPT4, unix.SYS_ACCEPT), a
	case 29:
		a[1], a[2] = p.answer()
		return p.one(unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME), a
	case 30, 31, 32:
		a[1] = p.one(0, 1, 2, 2, 3)
		return unix.SYS_SHUTDOWN, a
	case 33, 34, 35:
		n := p.length()
		a[1], a[2], a[3] = p.room(n), uintptr(p.size(n)), p.flags()
		if p.IntN(2) == 0 {
			a[4], a[5] = p.address()
		}
		return unix.SYS_SENDTO, a
	case 36, 37, 38:
		n := p.length()
		a[1], a[2], a[3] = p.room(n), uintptr(p.size(n)), p.flags()
		a[4], a[5] = p.answer()
		return unix.SYS_RECVFROM, a
	case 39, 40:
		a[1], a[2] = p.put(p.header()), p.flags()
		return p.one(unix.SYS_SENDMSG, unix.SYS_RECVMSG), a
	case 41, 42:
		n := int(p.one(0, 1, 3, 30))
		var b []byte
		for range min(n, 3) {
			b = append(append(b, p.header()...), make([]byte, 8)...)
		}
		a[1], a[2], a[3] = p.put(b), uintptr(p.size(n)), p.flags()
		if p.IntN(2) == 0 {
			a[4] = p.put(binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, uint64(p.size(0))), uint64(p.size(1000000))))
		}
		return p.one(unix.SYS_SENDMMSG, unix.SYS_RECVMMSG), a
	case 43:
		a[1], a[2] = p.option()
		a[3], a[4] = p.room(64), p.number(p.size(64))
		return unix.SYS_GETSOCKOPT, a
	case 44:
		a[1], a[2], a[3], a[4] = unix.SOL_SOCKET, unix.SO_ERROR, p.room(4), p.number(4)
		return unix.SYS_GETSOCKOPT, a
	case 45:
		a[1], a[2] = p.option()
		a[3], a[4] = p.number(p.size(int(p.one(0, 1, 5, 4000)))), uintptr(p.size(4))
		return unix.SYS_SETSOCKOPT, a
	case 46, 47:
		a[1], a[2] = unix.SOL_SOCKET, p.one(unix.SO_RCVTIMEO, unix.SO_SNDTIMEO)
		a[3], a[4] = p.put(timeval20ms), 16
		return unix.SYS_SETSOCKOPT, a
	case 48:
		a[1], a[2], a[3], a[4] = unix.SOL_SOCKET, unix.SO_LINGER, p.put([]byte{1, 0, 0, 0, byte(p.IntN(2)), 0, 0, 0}), 8
		return unix.SYS_SETSOCKOPT, a
	case 49:
		a[1], a[2] = p.one(unix.SIOCGIFCONF, unix.SIOCGIFFLAGS, unix.SIOCGIFNAME, unix.SIOCGIFADDR, unix.TIOCINQ, 0x8910+p.IntN(200)), p.room(40)
		return unix.SYS_IOCTL, a
	case 50, 51, 52, 53, 54:
		return unix.SYS_CLOSE, a
	case 55:
		return unix.SYS_DUP, a
	case 56:
		a[1] = uintptr(firstRandom + p.IntN(endRandom-firstRandom))
		return unix.SYS_DUP2, a
	case 57:
		a[1], a[2] = unix.F_SETFL, p.often(unix.O_NONBLOCK, 0)
		return unix.SYS_FCNTL, a
	case 58:
		n := p.length()
		a[1], a[2] = p.room(n), uintptr(n)
		return p.one(unix.SYS_READ, unix.SYS_WRITE), a
	case 59:
		var b []byte
		for range 3 {
			b = binary.NativeEndian.AppendUint32(b, uint32(p.fd()))
			b = binary.NativeEndian.AppendUint32(b, uint32(p.IntN(64)))
		}
		a[0], a[1], a[2] = p.put(b), 3, p.one(0, 1, 10)
		return unix.SYS_POLL, a
	case 60:
		a[0] = 0
		return unix.SYS_EPOLL_CREATE1, a
	case 61:
		a[1], a[2] = p.one(unix.EPOLL_CTL_ADD, unix.EPOLL_CTL_MOD, unix.EPOLL_CTL_DEL), p.fd()
		a[3] = p.put(append(binary.NativeEndian.AppendUint32(nil, uint32(p.one(1, 4, 5, 1<<31|5, 0))), make([]byte, 8)...))
		return unix.SYS_EPOLL_CTL, a
	case 62:
		a[1], a[2], a[3] = p.room(120), 10, p.one(0, 1, 10)
		return unix.SYS_EPOLL_WAIT, a
	}
	return unix.SYS_CLONE, a
}

// fork makes a child that makes a few calls, and ends without being waited for.
func (p *player) fork() {
	if p.forks++; p.forks > 5 {
		return
	}
	var calls [5][7]uintptr
	for i := range calls {
		for calls[i][0] == 0 || calls[i][0] == unix.SYS_CLONE {
			nr, a := p.call()
			calls[i] = [7]uintptr{nr, a[0], a[1], a[2], a[3], a[4], a[5]}
		}
	}
	forked(&calls)
}

// forked forks. The child can only make calls: it has no Go runtime.
//
//go:norace
//go:nosplit
func forked(calls *[5][7]uintptr) {
	pid, _, _ := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid != 0 { // the parent, or an error
		return
	}
	for i := range calls {
		c := &calls[i]
		unix.RawSyscall6(c[0], c[1], c[2], c[3], c[4], c[5], c[6])
	}
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
