// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"fmt"
	"io/fs"

	"dialtone/errno"
)

// kind says for the trail what a file is.
func kind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a fifo"
	case fs.ModeSocket:
		return "a socket"
	}
	return "a device"
}

// whyNot says for the trail why findFile refused with e: because of file n, or of the way there.
func whyNot(n *inode, e errno.Errno) string {
	if n == nil {
		if why, ok := lookupReasons[e]; ok {
			return why
		}
		return "the look-up fails"
	}
	switch {
	case e == errno.EROFS:
		return "it is " + kind(n.mode) + " on a read-only file system"
	case e == errno.EACCES:
		return fmt.Sprintf("no write permission on %s, mode %04o, of %d:%d", kind(n.mode), n.mode.Perm(), n.uid, n.gid)
	case n.mode&fs.ModeSocket == 0:
		return "it is no socket but " + kind(n.mode)
	case n.socket == nil:
		return "nobody is bound to the socket file"
	}
	return "the socket there is of type " + n.socket.typ.String()
}

// lookupReasons says why a path leads nowhere. Other errors come from [Tree.Fail].
var lookupReasons = map[errno.Errno]string{
	errno.ENOENT:       "a component does not exist",
	errno.ENOTDIR:      "a component used as a directory is none",
	errno.EACCES:       "no search permission on a directory of the path",
	errno.ELOOP:        "too many symbolic links",
	errno.ENAMETOOLONG: "a component is too long",
}
