// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// lineage knows under which label each thread of a target runs, on a host with
// access control. A new process has its parent's label, a new thread that of
// its process's first one, both as they are when it makes its first reported
// call; execve(2) is reported before it is done, and counts once the process is
// seen with another image. Only the target's reader uses it.
type lineage struct {
	target  *Target
	threads map[int]*member
	// images are the callers by image, for a process whose parent has ended or
	// has become another program: a fork keeps the image.
	images map[string]*socket.Caller
	// living is how many threads the last sweep left.
	living int
}

// member is a thread of a target.
type member struct {
	pid    int
	start  string // when it began, which tells it from a later one with its number
	caller *socket.Caller
	image  string // of its process when it was last looked at

	// Of a process's first thread alone: who it is after the execve(2) under
	// way, nil if none is, and which thread has called that.
	next *socket.Caller
	by   int
}

// maxMembers is how many threads are remembered before those that have ended
// are forgotten: that many, or twice as many as live.
const maxMembers = 1024

func newLineage(t *Target) lineage {
	first := &member{pid: t.proc.shim, start: startTime(t.proc.shim), caller: t.caller, image: image(t.proc.shim)}
	return lineage{
		target: t, threads: map[int]*member{t.proc.shim: first}, images: map[string]*socket.Caller{first.image: t.caller},
	}
}

// labelled reports whether the program's host has access control.
func (p *Program) labelled() bool { return p.Stack != nil && controlled(p.Stack.Core()) }

// commandName is what the kernel calls a process that has executed a file.
func commandName(path string) string {
	const most = 15 // TASK_COMM_LEN less the NUL
	name := filepath.Base(path)
	return name[:min(most, len(name))]
}

// who returns who a thread is that makes a call.
func (l *lineage) who(tid int) *socket.Caller {
	m := l.find(tid)
	if first := l.threads[m.pid]; first != nil && first.by == tid {
		first.next = nil // its execve(2) has failed, or it would not call
	}
	return m.caller
}

// find returns what is known of a thread, whoever asks.
func (l *lineage) find(tid int) *member {
	known := l.target.callers.same(tid)
	m := l.threads[tid]
	if m == nil || !known && m.start != startTime(tid) {
		m = l.enter(tid)
	}
	if m.next == nil {
		return m
	}
	if now := image(m.pid); now != m.image { // its execve(2) has been done
		m.caller, m.image, m.next = m.next, now, nil
		l.images[now] = m.caller
	}
	return m
}

// enter takes note of a thread that is seen for the first time.
func (l *lineage) enter(tid int) *member {
	if len(l.threads) >= max(maxMembers, 2*l.living) {
		l.forgetEnded()
	}
	pid, parent := relatives(tid)
	m := &member{pid: pid, start: startTime(tid), image: image(pid)}
	from := l.target.caller
	if before, ok := l.images[m.image]; ok && m.image != "" {
		from = before
	}
	if tid != pid {
		parent = pid
	}
	// All descend from the program, but for those whom the keeper has adopted.
	if parent != 0 && parent != l.target.proc.keeper {
		if p := l.find(parent); p.image == m.image {
			from = p.caller
		}
	}
	m.caller = from.Fork()
	m.caller.PID = pid
	l.threads[tid] = m
	return m
}

func (l *lineage) forgetEnded() {
	images := map[string]*socket.Caller{}
	maps.DeleteFunc(l.threads, func(tid int, m *member) bool {
		if unix.Kill(tid, 0) == unix.ESRCH {
			return true
		}
		images[m.image] = m.caller
		return false
	})
	l.images, l.living = images, len(l.threads)
}

// relatives returns the process that a thread belongs to, and that one's
// parent (proc_pid_status(5)); 0 for what has ended.
func relatives(tid int) (pid, parent int) {
	return statusNumber(tid, "Tgid:"), statusNumber(tid, "PPid:")
}

// statusNumber reads a field of /proc/TID/status; 0 if there is none.
func statusNumber(tid int, field string) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(field)); ok {
			n, err := strconv.Atoi(string(bytes.TrimSpace(rest)))
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// startTime reads when a thread began (proc_pid_stat(5), field 22); "" if it
// has ended.
func startTime(tid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tid))
	if err != nil {
		return ""
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]) // from the third on
	if len(f) < 20 {
		return ""
	}
	return string(f[19])
}

// image is what tells a program that a process executes from the next: its
// auxiliary vector (proc_pid_auxv(5)), which holds addresses that the kernel
// draws at each execve(2), and its file.
func image(pid int) string {
	auxv, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", pid))
	if err != nil {
		return ""
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	return exe + string(auxv)
}

// exec serves execve(2) and execveat(2): the policy is asked, and the label
// that the process will have waits for the kernel to do the call.
func (s *Supervisor) exec(c *call) {
	m := c.target.access()
	name, path, ok := c.executable()
	if m == nil || !ok {
		c.proceed() // the kernel says what is wrong
		return
	}
	after, e := m.Exec(c.caller, commandName(name), path)
	if e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	// The thread that executes becomes the first of its process.
	l := &c.target.lineage
	first := l.find(l.find(c.tid).pid)
	first.image, first.next, first.by = image(first.pid), after, c.tid
	c.proceed()
}

// executable returns the file that an execve(2) is about, as it is called and
// by its path without links. ok is false if there is none.
func (c *call) executable() (name, path string, ok bool) {
	dir, at, flags := unix.AT_FDCWD, c.args[0], 0
	if c.nr == unix.SYS_EXECVEAT {
		dir, at, flags = int(int32(c.args[0])), c.args[1], int(int32(c.args[4]))
	}
	name, e := c.readString(at)
	if e != 0 {
		return "", "", false
	}
	base := fmt.Sprintf("/proc/%d/cwd", c.tid)
	if dir != unix.AT_FDCWD {
		base = fmt.Sprintf("/proc/%d/fd/%d", c.tid, dir)
	}
	switch {
	case name == "" && flags&unix.AT_EMPTY_PATH != 0:
		path, name = base, base
	case name == "":
		return "", "", false
	case name[0] == '/':
		path = c.ownPath(name)
	default:
		base, err := os.Readlink(base)
		if err != nil {
			return "", "", false
		}
		path = filepath.Join(base, name)
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", "", false
	}
	info, err := os.Stat(path)
	return name, path, err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// ownPath is an absolute path of the caller's as we see it.
func (c *call) ownPath(path string) string {
	for _, own := range []string{"/proc/self/", "/proc/thread-self/"} {
		if rest, ok := strings.CutPrefix(path, own); ok {
			return fmt.Sprintf("/proc/%d/%s", c.tid, rest)
		}
	}
	return path
}

// same reports whether a thread is certainly the one that had its number when
// same, or getfd, was last asked about it.
func (cs *callers) same(tid int) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if p, ok := cs.pidfds[tid]; ok {
		if err := unix.PidfdSendSignal(p.fd, 0, nil, 0); err == nil || err == unix.EPERM {
			return cs.threads // a process's pidfd tells nothing of one thread
		}
		cs.dropLocked(tid)
	}
	_, _ = cs.addLocked(tid) // ESRCH: it has ended, and nobody waits for the answer
	return false
}
