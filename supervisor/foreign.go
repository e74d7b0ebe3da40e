// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dialtone/sockaddr"

	"golang.org/x/sys/unix"
)

// realServices are AF_UNIX names behind which the real machine answers
// questions about names and networks: a hosted program does not reach them.
// nss modules then go on to DNS, which is the virtual network's.
var realServices = []string{
	"/run/nscd/socket",
	"/run/dbus/system_bus_socket", // nss-resolve of old, avahi
	"/run/avahi-daemon/socket",
	"/run/systemd/resolve/", // a directory: all below
	"/run/NetworkManager/",
}

// SIOCPROTOPRIVATE and the fifteen after it belong to the family: AF_UNIX has
// SIOCUNIXFILE there.
const (
	privateFirst = 0x89e0
	privateLast  = 0x89ef
)

// foreign serves a call on a socket that is not emulated, of AF_UNIX as a
// rule. The supervisor is locked.
func (s *Supervisor) foreign(c *call) {
	switch c.nr {
	case unix.SYS_CONNECT:
		if e := realService(c.tid, c.rawAddress(c.args[1], c.args[2])); e != 0 {
			c.fail(e)
			return
		}
	case unix.SYS_IOCTL:
		if r := uint32(c.args[1]); r < privateFirst || r > privateLast {
			s.ioctl(c, nil)
			return
		}
	}
	c.proceed()
}

// realService returns the errno for a connect of a thread to an AF_UNIX address
// that must not be reached: ENOENT, as if the service were not installed.
func realService(tid int, raw sockaddr.Raw) unix.Errno {
	b, ok := raw.Copy()
	if !ok || len(b) <= sockaddr.LenFamily || sockaddr.FamilyOf(b) != sockaddr.Unix {
		return 0
	}
	name := sockaddr.ParseUnix(b).Name
	if name == "" || name[0] == 0 {
		return 0 // unnamed or abstract
	}
	if name[0] != '/' {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", tid))
		if err != nil {
			return unix.ENOENT // the thread has gone, or hides where it is
		}
		name = filepath.Join(cwd, name)
	}
	if isRealService(filepath.Clean(name)) {
		return unix.ENOENT
	}
	// A link may lead there, at the end or on the way.
	if real, err := filepath.EvalSymlinks(name); err == nil && isRealService(real) {
		return unix.ENOENT
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil && isRealService(filepath.Join(dir, filepath.Base(name))) {
		return unix.ENOENT
	}
	return 0
}

// isRealService reports whether a clean path is one of realServices.
func isRealService(clean string) bool {
	if rest, ok := strings.CutPrefix(clean, "/var/run/"); ok { // a link to /run
		clean = "/run/" + rest
	}
	return slices.ContainsFunc(realServices, func(r string) bool {
		return clean == r || strings.HasSuffix(r, "/") && strings.HasPrefix(clean, r)
	})
}
