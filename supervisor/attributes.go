// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"dialtone/errno"
	"dialtone/mac"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// The files /proc/PID/attr/current, exec and sockcreate of a process (getcon(3),
// setcon(3), setexeccon(3), setsockcreatecon(3)), for the process itself on a host with access
// control. Opened for reading, such a file is a memory file with the context.
// Opened for writing it is one that refuses writes, under a number of its own:
// writes to those numbers are reported, and served here. A duplicate has
// another number, and its writes fail with EPERM. See docs/decisions/0011-*.md.

// The numbers: the last below 1024, the usual soft limit of RLIMIT_NOFILE.
const (
	lastAttribute  = 1023
	firstAttribute = lastAttribute - 15
)

// attributeMark stands in the names of the memory files.
const attributeMark = "attribute."

// attributes are the files that are served.
var attributes = []string{"current", "exec", "sockcreate"}

// attribute is such a file: of a thread, and which one.
type attribute struct {
	tid  int
	name string
}

// attributeOf finds the attribute that a path leads to, for a thread of a
// process: one of its own. The path is looked at as it is spelt.
func attributeOf(path string, tid, pid int) (a attribute, ok bool) {
	f := strings.Split(path, "/")
	if len(f) < 5 || f[0] != "" || f[1] != "proc" {
		return a, false
	}
	n, own := len(f), strconv.Itoa(pid)
	a.name = f[n-1]
	if f[n-2] != "attr" || !slices.Contains(attributes, a.name) {
		return a, false
	}
	switch who := f[2 : n-2]; {
	case len(who) == 1 && (who[0] == "self" || who[0] == own):
		a.tid = pid
	case len(who) == 1 && who[0] == "thread-self",
		len(who) == 3 && (who[0] == "self" || who[0] == own) && who[1] == "task" && who[2] == strconv.Itoa(tid):
		a.tid = tid
	default:
		return a, false
	}
	return a, true
}

// open serves open(2), openat(2) and openat2(2): all but attributes are the
// kernel's.
func (s *Supervisor) open(c *call) {
	at, flagsAt := c.args[0], c.args[1]
	if c.nr != unix.SYS_OPEN {
		at, flagsAt = c.args[1], c.args[2]
	}
	var start [6]byte
	if e := c.read(at, start[:]); e != 0 || string(start[:]) != "/proc/" {
		c.proceed()
		return
	}
	path, e := c.readString(at)
	a, ok := attributeOf(path, c.tid, c.target.lineage.find(c.tid).pid)
	m := c.target.access()
	if e != 0 || !ok || m == nil {
		c.proceed()
		return
	}
	flags := int(int32(flagsAt))
	if c.nr == unix.SYS_OPENAT2 {
		var how [8]byte
		if e := c.read(flagsAt, how[:]); e != 0 {
			c.proceed()
			return
		}
		flags = int(le64(how[:]))
	}
	if flags&(unix.O_PATH|unix.O_DIRECTORY) != 0 || flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL {
		c.proceed() // the kernel's answer does not depend on what is in the file
		return
	}
	who := c.target.lineage.find(a.tid).caller
	text := a.context(m, who)
	if text != "" {
		text += "\x00" // as SELinux has it
	}
	fd, e := sealedFile(s.prefix+attributeMark+a.name+"."+strconv.Itoa(a.tid), flags&unix.O_ACCMODE, text)
	if e != 0 {
		c.fail(e)
		return
	}
	defer unix.Close(fd)
	cloexec := flags&unix.O_CLOEXEC != 0
	if flags&unix.O_ACCMODE == unix.O_RDONLY {
		if _, e := c.target.proc.listener.addFD(c.id, fd, cloexec); e != 0 {
			c.fail(e)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.replay() {
		n, e := c.placeAttribute(fd, cloexec)
		c.conclude(int64(n), e)
	}
}

// placeAttribute puts fd under a free number of an attribute's. The supervisor
// is locked.
func (c *call) placeAttribute(fd int, cloexec bool) (int, unix.Errno) {
	// From the end: a program with very many descriptors comes from below.
	for n := lastAttribute; n >= firstAttribute; n-- {
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", c.tid, n)); err == nil {
			continue
		}
		e := c.target.proc.listener.replaceFD(c.id, fd, n, cloexec)
		if e == unix.EBADF {
			e = unix.EMFILE // beyond RLIMIT_NOFILE
		}
		return n, e
	}
	return -1, unix.EMFILE
}

// sealedFile makes a memory file that holds text for good.
func sealedFile(name string, mode int, text string) (int, unix.Errno) {
	file, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, errnoOf(err)
	}
	defer unix.Close(file)
	if _, err := unix.Write(file, []byte(text)); err != nil {
		return -1, errnoOf(err)
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(file), unix.F_ADD_SEALS, seals); err != nil {
		return -1, errnoOf(err)
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", file), mode|unix.O_CLOEXEC, 0)
	return fd, errnoOf(err)
}

// opened returns the attribute that a descriptor of ours was opened for.
func (s *Supervisor) opened(fd int) (a attribute, ok bool) {
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return a, false
	}
	rest, ok := strings.CutPrefix(strings.TrimSuffix(link, " (deleted)"), "/memfd:"+s.prefix+attributeMark)
	if !ok {
		return a, false
	}
	name, tid, _ := strings.Cut(rest, ".")
	a.name = name
	a.tid, err = strconv.Atoi(tid)
	return a, err == nil
}

// write serves write(2), writev(2) and pwrite64(2) to the numbers of
// attributes, of which the kernel has all but attributes.
func (s *Supervisor) write(c *call) {
	dup, e := c.getfd(int(int32(c.args[0])))
	switch e {
	case 0:
	case unix.ENOENT:
		return
	default:
		c.proceed()
		return
	}
	defer unix.Close(dup)
	a, ok := s.opened(dup)
	flags, err := unix.FcntlInt(uintptr(dup), unix.F_GETFL, 0)
	if !ok || err != nil || flags&unix.O_ACCMODE == unix.O_RDONLY {
		c.proceed()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.replay() {
		return
	}
	n, e := s.writeAttribute(c, a)
	c.conclude(int64(n), e)
}

// writeAttribute is proc_pid_attr_write of the kernel. The supervisor is locked.
func (s *Supervisor) writeAttribute(c *call, a attribute) (int, unix.Errno) {
	const most = 4096 // a page
	iov := []iovec{{c.args[1], c.args[2]}}
	pid := c.target.lineage.find(c.tid).pid
	switch {
	case statusNumber(a.tid, "Tgid:") != pid:
		return 0, unix.EPERM // opened by another process
	case a.tid != c.tid:
		return 0, unix.EACCES // a thread writes its own alone
	case c.nr == unix.SYS_WRITEV:
		var e unix.Errno
		if iov, e = c.readIovecs(iov[0]); e != 0 {
			return 0, e
		}
	case c.nr == unix.SYS_PWRITE64 && c.args[3] != 0:
		return 0, unix.EINVAL
	}
	text, e := c.gather(iov, most)
	if e != 0 {
		return 0, e
	}
	m := c.target.access()
	if m == nil {
		return 0, unix.EINVAL // as without SELinux
	}
	context, _, _ := bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte{0})
	var le errno.Errno
	switch a.name {
	case "current":
		le = m.SetProcessContext(c.caller, string(context), statusNumber(c.tid, "Threads:") == 1)
	case "exec":
		le = m.SetExecContext(c.caller, string(context))
	default:
		le = m.SetSocketContext(c.caller, string(context))
	}
	return len(text), unix.Errno(le)
}

// context returns what an attribute of who's holds; empty: nothing.
func (a attribute) context(m *mac.Module, who *socket.Caller) string {
	switch a.name {
	case "current":
		return m.ProcessContext(who)
	case "exec":
		return m.ExecContext(who)
	default:
		return m.SocketContext(who)
	}
}

// readString reads a path of the caller's.
func (c *call) readString(at uint64) (string, unix.Errno) {
	const page = 4096
	var text []byte
	for len(text) < unix.PathMax {
		// What lies behind the end of the path need not be mapped.
		b := make([]byte, page-at%page)
		if e := c.read(at, b); e != 0 {
			return "", e
		}
		if end := slices.Index(b, 0); end >= 0 {
			return string(append(text, b[:end]...)), 0
		}
		text = append(text, b...)
		at += uint64(len(b))
	}
	return "", unix.ENAMETOOLONG
}
