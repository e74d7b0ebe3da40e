// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"testing"

	"dialtone/trail"
)

// Each connect that a name, a queue or the state decided says so, in the line that settled it.
func TestTrailSaysWhoDecided(t *testing.T) {
	for _, c := range []struct {
		script, connect string
		layer           trail.Layer
		text            string
	}{
		{"", "/s", trail.Backlog, "place 1 of 17 in the listener's queue"},
		{"", "/none", trail.Name, "/none: a component does not exist: ENOENT"},
		{"", "/s/x", trail.Name, "/s/x: a component used as a directory is none: ENOTDIR"},
		{"symlink loop /loop", "/loop", trail.Name, "/loop: too many symbolic links: ELOOP"},
		{"file /reg", "/reg", trail.Name, "/reg: it is no socket but a regular file: ECONNREFUSED"},
		{"fifo /f", "/f", trail.Name, "/f: it is no socket but a fifo: ECONNREFUSED"},
		{"device /null", "/null", trail.Name, "/null: it is no socket but a device: ECONNREFUSED"},
		{"close l", "/s", trail.Name, "/s: nobody is bound to the socket file: ECONNREFUSED"},
		{"as 1000 1000", "/s", trail.Name, "/s: no write permission on a socket, mode 0755, of 0:0: EACCES"},
		{"chmod / 700\nas 1000 1000", "/s", trail.Name, "/s: no search permission on a directory of the path: EACCES"},
		{"fail /s EIO", "/s", trail.Name, "/s: the look-up fails: EIO"},
		{"file /reg\nreadonly / on", "/reg", trail.Name, "/reg: it is a regular file on a read-only file system: EROFS"},
		{"socket d dgram\nbind d /d", "/d", trail.Name, "/d: the socket there is of type SOCK_DGRAM: EPROTOTYPE"},
		{"", "unspec", trail.Name, "an address of AF_UNSPEC: EINVAL"},
		{"", "auto", trail.Name, "an address of 2 bytes: EINVAL"},
		{"", "@none", trail.Name, "@none: nobody of type SOCK_STREAM is bound to the abstract name: ECONNREFUSED"},
		{"socket b stream\nbind b /b", "/b", trail.Backlog, "the socket at /b is bound but does not listen: ECONNREFUSED"},
		{"shutdown l RD", "/s", trail.Backlog, "the socket at /s was shut down for reading: ECONNREFUSED"},
		{"listen l 0\nsocket f stream\nconnect f /s\nnonblocking s on", "/s", trail.Backlog, "all 1 places of the listener's queue are taken: EAGAIN"},
		{"connect s /s", "/s", trail.State, "the peer has room, but the socket is connected: EISCONN"},
	} {
		w := run(t, listeningStream+c.script)
		w.step([]string{"connect", "s", c.connect})
		if l, ok := w.trail.Decided(); !ok || l.Layer != c.layer || l.Text != c.text {
			t.Errorf("after %q, connect to %s: %v %q, want %v %q", c.script, c.connect, l.Layer, l.Text, c.layer, c.text)
		}
	}
	w := run(t, ab+"connect a /b")
	if l, _ := w.trail.Decided(); l.Text != "associated with /b" {
		t.Errorf("%q", l.Text)
	}
	w.run("connect s /a = EPERM")
	if l, _ := w.trail.Decided(); l.Text != "/a is connected to another socket: EPERM" {
		t.Errorf("%q", l.Text)
	}
}
