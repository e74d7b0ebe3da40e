// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"regexp"
	"strings"
	"testing"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/unixdomain"
)

func TestPermissions(t *testing.T) { // un-st-eacces
	for _, c := range []struct{ who, change, found, missing string }{
		// Of the file only the permission to write counts.
		{"65534 65534", "chmod /p/s 777", "0", "ENOENT"},
		{"65534 65534", "chmod /p/s 555", "EACCES", "ENOENT"},
		{"65534 65534", "chmod /p/s 444", "EACCES", "ENOENT"},
		{"65534 65534", "chmod /p/s 222", "0", "ENOENT"},
		{"65534 65534", "chmod /p/s 002", "0", "ENOENT"},
		{"65534 65534", "chmod /p/s 770", "EACCES", "ENOENT"},
		{"65534 65534", "chmod /p/s 000", "EACCES", "ENOENT"},
		// Of the directory only the permission to search; EACCES hides ENOENT.
		{"65534 65534", "chmod /p 755", "0", "ENOENT"},
		{"65534 65534", "chmod /p 644", "EACCES", "EACCES"},
		{"65534 65534", "chmod /p 711", "0", "ENOENT"},
		{"65534 65534", "chmod /p 744", "EACCES", "EACCES"},
		{"65534 65534", "chmod /p 000", "EACCES", "EACCES"},
		// The superuser is asked for neither.
		{"root", "chmod /p/s 000", "0", "ENOENT"},
		{"root", "chmod /p/s 444", "0", "ENOENT"},
		{"root", "chmod /p 000", "0", "ENOENT"},
	} {
		t.Run(c.who+" "+c.change, func(t *testing.T) {
			both(t, `
				mkdir /p 755
				socket l TYPE
				bind l /p/s
				listen l 16
				chmod /p/s 777
				socket s TYPE
				`+c.change+`
				as `+c.who+`
				connect s /p/none = `+c.missing+`
				connect s /p/s = `+c.found)
		})
	}
}

func TestOneClassDecides(t *testing.T) { // un-st-owner-class
	for _, c := range []struct{ who, mode, want string }{
		{"65534 65534", "577", "EACCES"},
		{"65534 65534", "200", "0"},
		{"1000 4321", "757", "EACCES"},
		{"1000 4321", "020", "0"},
	} {
		both(t, listening+`
			chown /s 65534 4321
			chmod /s `+c.mode+`
			as `+c.who+`
			connect s /s = `+c.want)
	}
}

func TestCapabilities(t *testing.T) { // path_resolution(7), "Bypassing permission checks"
	for _, c := range []struct {
		caps      socket.Caps
		dir, file string // modes
		want      errno.Errno
	}{
		{0, "000", "777", errno.EACCES},
		{socket.DACReadSearch, "000", "777", errno.OK},
		{socket.DACReadSearch, "000", "000", errno.EACCES}, // writing is neither reading nor searching
		{socket.DACOverride, "000", "000", errno.OK},
	} {
		w := newWorld(t, personality.Linux)
		w.run("mkdir /p 755\nsocket l stream\nbind l /p/s\nlisten l 1\nsocket s stream\nchmod /p/s " + c.file + "\nchmod /p " + c.dir)
		w.caller = &socket.Caller{UID: 1000, GID: 1000, Caps: c.caps}
		w.run("connect s /p/s = " + c.want.Name())
	}
	// A supplementary group counts as the group.
	w := newWorld(t, personality.Linux)
	w.run("socket l stream\nbind l /s\nlisten l 1\nsocket s stream\nchown /s 0 5\nchmod /s 020")
	w.caller = &socket.Caller{UID: 1000, GID: 1000, Groups: []uint32{4, 5}}
	w.run("connect s /s = 0")
}

func TestKindsOfPaths(t *testing.T) { // un-st-path-kinds
	for path, want := range map[string]string{
		"/reg":             "ECONNREFUSED",
		"/dir":             "ECONNREFUSED",
		"/dir/":            "ECONNREFUSED",
		"/":                "ECONNREFUSED",
		"/fifo":            "ECONNREFUSED",
		"/null":            "ECONNREFUSED",
		"/reg/x":           "ENOTDIR",
		"/reg/":            "ENOTDIR",
		"/fifo/x":          "ENOTDIR",
		"/dir/s":           "0",
		"/dir/s/":          "ENOTDIR",
		"/dir/s/x":         "ENOTDIR",
		"/ln":              "0",
		"/ln/":             "ENOTDIR",
		"/dirln/s":         "0",
		"/dirln//./s":      "0",
		"/relln":           "0",
		"/dangling":        "ENOENT",
		"/loop1":           "ELOOP",
		"/loop1/x":         "ELOOP",
		"/dir/../dir/./s":  "0",
		"/../../dir/s":     "0",
		"/dir//s":          "0",
		"dir/s":            "0", // relative, from the root
		"/none":            "ENOENT",
		"/none/x":          "ENOENT",
		"/none/../dir/s":   "ENOENT",
		"/reg/../dir/s":    "ENOTDIR",
		"/dir/s/..":        "ENOTDIR",
		"/dirln/../dir/s":  "0",
		"@":                "ECONNREFUSED",
		"auto":             "EINVAL", // length 2
		"/" + longName(80): "ENOENT",
	} {
		t.Run(path, func(t *testing.T) {
			both(t, `
				file /reg
				mkdir /dir 755
				fifo /fifo
				device /null
				socket l TYPE
				bind l /dir/s
				listen l 16
				symlink /dir/s /ln
				symlink dir /dirln
				symlink ../dir/s /relln
				symlink /nowhere /dangling
				symlink /loop2 /loop1
				symlink loop1 /loop2
				socket s TYPE
				connect s `+path+" = "+want)
		})
	}
}

func longName(n int) string { return strings.Repeat("n", n) }

func TestFortyLinksAreFollowed(t *testing.T) { // un-st-eloop-40
	script := listening + "symlink s /k1\n"
	for i := 2; i <= 41; i++ {
		script += "symlink k" + itoa(i-1) + " /k" + itoa(i) + "\n"
	}
	for _, c := range []struct {
		n    int
		want string
	}{{1, "0"}, {39, "0"}, {40, "0"}, {41, "ELOOP"}} {
		both(t, script+"connect s /k"+itoa(c.n)+" = "+c.want)
	}
}

func TestAddressLengths(t *testing.T) { // un-st-addrlen, un-st-badptr
	padded := make([]byte, 300)
	copy(padded, "\x01\x00s")
	for _, c := range []struct {
		raw  sockaddr.Raw
		want errno.Errno
	}{
		{sockaddr.Raw{Mem: padded, Len: 0}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 1}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 2}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 3}, errno.OK},
		{sockaddr.Raw{Mem: padded, Len: 4}, errno.OK},
		{sockaddr.Raw{Mem: padded, Len: 109}, errno.OK},
		{sockaddr.Raw{Mem: padded, Len: 110}, errno.OK},
		{sockaddr.Raw{Mem: padded, Len: 111}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 128}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 129}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: 1 << 31}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded, Len: -1}, errno.EINVAL},
		{sockaddr.Bytes([]byte("\x01\x00sX")), errno.ENOENT},
		{sockaddr.Bytes([]byte("\x01\x00s\x00garbage")), errno.OK},
		{sockaddr.Raw{Len: 110}, errno.EFAULT},
		{sockaddr.Raw{Len: 0}, errno.EINVAL},
		{sockaddr.Raw{Mem: padded[:4], Len: 4}, errno.OK},
		{sockaddr.Raw{Mem: padded[:4:4], Len: 110}, errno.EFAULT},
	} {
		w := run(t, listeningStream)
		if got := socket.Connect(w.call(), personality.Linux, w.sockets["s"], c.raw); got != c.want {
			t.Errorf("connect of %d bytes, %d readable: %v, want %v", c.raw.Len, len(c.raw.Mem), got, c.want)
		}
	}
}

func TestAbstractNames(t *testing.T) { // un-st-abstract
	both(t, `
		socket s TYPE
		connect s @nm = ECONNREFUSED
		socket l TYPE
		bind l @nm = 0
		bind l @other = EINVAL
		bind l /path = EINVAL
		listen l 16
		connect s @nmx = ECONNREFUSED
		connect s @n = ECONNREFUSED
		connect s @nm = 0
		peer s = @nm
		accept l c
		peer c = unnamed
		socket m TYPE
		bind m @nm = EADDRINUSE
		close l
		socket s TYPE
		connect s @nm = ECONNREFUSED
		bind m @nm = 0
		socket e TYPE
		bind e @ = 0
		listen e 16
		connect s @ = 0
	`)
	// The accepted end bears the listener's name, and gives it free for nobody.
	both(t, `
		socket l TYPE
		bind l @nm
		listen l 1
		socket s TYPE
		connect s @nm
		accept l c
		close c
		socket s TYPE
		connect s @nm = 0
	`)
}

var autobound = regexp.MustCompile(`^@[0-9a-f]{5}$`)

func TestAutobind(t *testing.T) { // un-st-passcred-autobind, un-dg-bound-unspec, un-st-abstract
	w := run(t, listeningStream+`
		passcred s on
		connect s /s = 0
		accept l c
		socket a stream
		bind a auto = 0
		socket b dgram
		passcred b on
		socket r dgram
		bind r /r
		connect b /r
		connect b unspec
		socket p dgram
		connect p /r = 0
		send p x = 1
		name p = unnamed
	`)
	for _, s := range []string{"s", "a", "b"} {
		if got := w.step([]string{"name", s}); !autobound.MatchString(got) {
			t.Errorf("%s was bound to %s", s, got)
		}
	}
	if client, peer := w.step([]string{"name", "s"}), w.step([]string{"peer", "c"}); client != peer {
		t.Errorf("the client is %s, for the server %s", client, peer)
	}
	name := w.step([]string{"name", "a"})
	w.run("bind a auto = 0\nname a = " + name)
}

func TestAutobindTakesTheNextFreeName(t *testing.T) {
	names := map[string]bool{}
	w := newWorld(t, personality.Linux)
	for range 2000 {
		w.run("socket s dgram\nbind s auto")
		name := w.step([]string{"name", "s"})
		if names[name] {
			t.Fatalf("%s was given twice", name)
		}
		names[name] = true
	}
}

func TestReadOnlyFileSystem(t *testing.T) { // un-st-ro-mount; the rest was seen on Linux 6.18
	both(t, `
		mkdir /m 777
		mkdir /m/dir 777
		file /m/reg
		fifo /m/fifo
		symlink reg /m/ln
		socket l TYPE
		bind l /m/s
		listen l 16
		chmod /m/s 777
		readonly /m on
		socket s TYPE
		as 65534 65534
		connect s /m/s = 0
		as root
		socket t TYPE
		connect t /m/s = 0
		socket t TYPE
		bind t /m/t = EROFS
		bind t /m/s = EADDRINUSE       # what exists comes first
		bind t /m/dir/t = EROFS
		connect t /m/reg = EROFS       # to be written to, as a file
		connect t /m/dir = EROFS
		connect t /m/dir/ = EROFS
		connect t /m/ln = EROFS
		connect t /m/fifo = ECONNREFUSED
		connect t /m/none = ENOENT
		chmod /m/s 700 = EROFS
		remove /m/s = EROFS
		readonly /m off
		bind t /m/t = 0
	`)
}

func TestSocketFileRemovedOrRenamed(t *testing.T) { // un-sq-unlinked
	both(t, listening+`
		link /s /hard
		rename /s /moved
		connect s /s = ENOENT
		connect s /moved = 0
		peer s = /s                    # the name used at bind
		socket s TYPE
		connect s /hard = 0
		remove /moved
		remove /hard
		socket s TYPE
		connect s /hard = ENOENT
		socket l2 TYPE
		bind l2 /s = 0                 # the name is free, the first lives on
		accept l c = 0
		name l = /s
	`)
}

func TestLookupFails(t *testing.T) { // un-eio
	both(t, `
		mkdir /m 755
		mkdir /m/d1 755
		socket l TYPE
		bind l /m/d1/s
		listen l 1
		fail /m/d1/s EIO
		socket s TYPE
		connect s /m/d1/s = EIO
		poll s = OUT|HUP
		bind s /m/d1/s = EIO
		fail /m/d1/s 0
		fail /m/d1 EIO
		connect s /m/d1/s = EIO
		connect s /m/d1/.. = EIO
		fail /m/d1 0
		connect s /m/d1/s = 0
	`)
}

func TestWorkingDirectory(t *testing.T) {
	both(t, `
		mkdir /home 755
		mkdir /home/me 700
		chown /home/me 1000 1000
		cd /home/me
		socket l TYPE
		bind l s = 0
		listen l 3
		socket s TYPE
		connect s s = 0
		peer s = s
		socket s TYPE
		connect s ../me/./s = 0
		socket s TYPE
		connect s /home/me/s = 0
		socket s TYPE
		chmod /home 000
		as 1000 1000
		cd /home/me
		chmod /home/me/s 777
		connect s s = 0                # the directory is open already
		socket s TYPE
		connect s ../me/s = EACCES     # and this is on the way again
		cd /home/gone
		connect s s = ENOENT
	`)
}

func TestBindOrder(t *testing.T) { // seen on Linux 6.18
	both(t, `
		file /f
		mkdir /d 755
		symlink /nowhere /dangling
		socket s TYPE
		bind s /f = EADDRINUSE
		bind s /f/x = ENOTDIR
		bind s /no/x = ENOENT
		bind s /d = EADDRINUSE
		bind s /d/ = EADDRINUSE
		bind s /new/ = ENOENT
		bind s . = EADDRINUSE
		bind s /d/.. = EADDRINUSE
		bind s / = EADDRINUSE
		bind s /dangling = EADDRINUSE
		bind s unspec = EINVAL
		bind s inet = EINVAL
		as 1000 1000
		bind s /mine = EACCES
		chmod /d 777
		bind s /d/mine = 0
		bind s /d/again = EINVAL       # and leaves no file
		bind s /d/mine = EADDRINUSE
		bind s /no/x = ENOENT
		bind s @abstract = EINVAL
		bind s auto = 0
		name s = /d/mine
		as root
		bind s /d/again = EINVAL
	`)
	w := run(t, "socket s stream\nas 1000 1001\nmkdir /d 777\nbind s /d/s")
	info, err := w.tree.Stat("/d/s")
	if err != nil || info.Mode().String() != "Srwxr-xr-x" || info.Sys() != (unixdomain.Owner{UID: 1000, GID: 1001}) {
		t.Errorf("%+v, %v", info, err)
	}
}

// FuzzAddress gives any bytes to bind and connect: what they mean is one of the names there are, or an error that such
// an address can have.
func FuzzAddress(f *testing.F) {
	for _, a := range []string{"/s", "@nm", "s", "auto", "unspec", "inet", "/ln/", "/dir/../s", "@"} {
		f.Add(address(a))
	}
	f.Fuzz(func(t *testing.T, addr []byte) {
		w := run(t, listeningStream+"mkdir /dir 755\nsymlink s /ln\nsocket m stream\nbind m @nm\nlisten m 1\nsocket b stream")
		for _, call := range []func() errno.Errno{
			func() errno.Errno {
				return socket.Connect(w.call(), personality.Linux, w.sockets["s"], sockaddr.Bytes(addr))
			},
			func() errno.Errno {
				return socket.Bind(w.call(), personality.Linux, w.sockets["b"], sockaddr.Bytes(addr))
			},
		} {
			switch e := call(); e {
			case errno.OK, errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED, errno.EADDRINUSE:
			default:
				t.Errorf("%q: %v", addr, e.Name())
			}
		}
		if name, e := w.sockets["b"].Name(w.call()); e != errno.OK || len(name.Name) > sockaddr.PathMax {
			t.Errorf("bound to %v, %v", name, e)
		}
	})
}
