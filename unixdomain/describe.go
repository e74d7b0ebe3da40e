// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"fmt"
	"io/fs"
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

// describe says for the trail what a file is, its permissions and owner.
func describe(n *inode) string {
	return fmt.Sprintf("%s, mode %04o, of %d:%d", kind(n.mode), n.mode.Perm(), n.uid, n.gid)
}
