// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A program may ask that closing a connection resets it (SO_LINGER with a time
// of 0, socket(7)). On a pumped one the layer does. A direct one is the kernel's,
// and AF_UNIX resets only if bytes are left unread: so a duplicate of T is kept,
// and when the target has closed its own, the peer's T sends one byte that nobody
// reads. A connection that asks before it is joined is pumped.

// lingersNot reports whether the layer's socket resets when it is closed.
func (h *hosted) lingersNot() bool {
	h.sock.Core.Lock()
	defer h.sock.Core.Unlock()
	o := h.sock.Options()
	return o.LingerOn && o.Linger == 0
}

// keepForReset keeps a duplicate of T, or gives it up, as SO_LINGER says now.
// The supervisor is locked.
func (h *hosted) keepForReset(dup int) {
	switch {
	case h.phase != direct || !h.lingersNot():
		h.unkeep()
	case h.kept < 0:
		kept, err := unix.FcntlInt(uintptr(dup), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			h.sup.warn("a connection's peer will read its end instead of a reset: %v", err)
			return
		}
		h.kept = kept
		h.sup.kept[h] = true
	}
}

// unkeep closes the duplicate of T that is kept, if one is.
func (h *hosted) unkeep() {
	if h.kept < 0 {
		return
	}
	unix.Close(h.kept)
	h.kept = -1
	delete(h.sup.kept, h)
}

// resetClosed resets the kept connections that nobody but us has open. The
// supervisor is locked, but not all the time.
func (s *Supervisor) resetClosed() {
	lost := map[string]*hosted{} // by what /proc/PID/fd shows
	for i, h := range slices.Collect(maps.Keys(s.kept)) {
		if i%buryAtOnce == buryAtOnce-1 { // the programs' calls have their turn
			s.mu.Unlock()
			s.mu.Lock()
		}
		if h.kept < 0 {
			continue
		}
		if dup, open := h.dupT(); open {
			unix.Close(dup)
			continue
		}
		var st unix.Stat_t
		if err := unix.Fstat(h.kept, &st); err != nil {
			panic("supervisor: fstat: " + err.Error()) // EBADF: our mistake
		}
		lost[fmt.Sprintf("socket:[%d]", st.Ino)] = h
	}
	if len(lost) == 0 {
		return
	}
	s.mu.Unlock()
	found := holders(lost)
	s.mu.Lock()
	peers := s.directs()
	for link, h := range lost {
		switch at, open := found[link]; {
		case h.kept < 0: // ended meanwhile
		case open: // a child's, or another number's
			h.tid, h.fd = at.process, at.fd
		default:
			h.poison(peers)
			h.unkeep()
			h.forget()
		}
	}
}

// poison leaves a byte unread in T, which nobody has open any more. peers are
// the direct sockets by their ends. The supervisor is locked.
func (h *hosted) poison(peers map[[2]netip.AddrPort][]*hosted) {
	local, remote, _ := h.sock.Ends()
	for _, peer := range peers[[2]netip.AddrPort{plain(remote), plain(local)}] {
		if peer.stack != h.stack && !h.stack.ClearTo(peer.stack, remote.IP.Unmap()) {
			continue // of another network
		}
		if dup, open := peer.dupT(); open {
			_, _ = unix.SendmsgN(dup, []byte{0}, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) // EAGAIN: bytes are there; EPIPE: it has shut its half, and reads an end
			unix.Close(dup)
		}
	}
}

// directs returns the direct sockets by their ends, the own one first. The
// supervisor is locked.
func (s *Supervisor) directs() map[[2]netip.AddrPort][]*hosted {
	all := map[[2]netip.AddrPort][]*hosted{}
	for _, h := range s.byID {
		if h.phase == direct {
			local, remote, _ := h.sock.Ends()
			ends := [2]netip.AddrPort{plain(local), plain(remote)}
			all[ends] = append(all[ends], h)
		}
	}
	return all
}

// holder is where a process has a socket open.
type holder struct{ process, fd int }

// holders looks for sockets among all processes' descriptors but our own
// (proc_pid_fd(5)).
func holders(wanted map[string]*hosted) map[string]holder {
	found := map[string]holder{}
	all, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		panic("supervisor: " + err.Error()) // ErrBadPattern: our mistake
	}
	for _, path := range all {
		link, err := os.Readlink(path)
		if err != nil || wanted[link] == nil {
			continue // closed meanwhile
		}
		process, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		fd, _ := strconv.Atoi(filepath.Base(path)) // digits both: see the pattern
		if process != ownPID {
			found[link] = holder{process, fd}
		}
	}
	return found
}
