// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is not understood is told with its line; what is understood and not here is not run.
func TestParse_refuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 nonsense", "line 2: not understood: nonsense"},
		{"0 listen(3, 1", "line 1: listen:"},
		{"0 listen(3, 1)", "line 1: listen: no result"},
		{"0 < Q 0:0(0)", "line 1: packet not understood"},
		{"0 < S 0:70000(70000)", "don't fit one packet"},
		{"0 < S 0:0(0) <md5 00>", "a signature has 16 bytes"},
		{"0 `sysctl", "a command without its end"},
		{"0 %{ assert 1", "code without its end"},
		{"1 ", "a time, and nothing at it"},
		{"0 < S 0:0(0) <mptcp>", "not run: TCP option mptcp"},
		{"0 setsockopt(3, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0", "not run: the name SO_ZEROCOPY"},
	} {
		_, err := Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
		var missing *NotRunError
		if errors.As(err, &missing) != strings.HasPrefix(c.want, "not run") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

// A script that the host does not follow says in what.
func TestRun_differs(t *testing.T) {
	const open = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n" +
		"+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
	for _, c := range []struct{ text, want string }{
		{"0 listen(3, 1) = 0", "listen returned -1 EBADF"},
		{open + "+0 > . 1:1(0) ack 1", "flags: sent S"},
		{open + "+.5 > S 0:0(0) <...>", "at 0s, expected at 500ms"},
		{open + "+0 > S 0:0(0) <mss 1460>", "options: sent"},
		{open + "+0 > S 0:0(0) <...>\n+0 > . 1:1(0) ack 1", "flags: sent S"},
		{open + "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%", "not so: tcpi_state == TCP_ESTABLISHED (tcpi_state=2)"},
		{open + "+0 %{ for x in y }%", "not run: code other than assert"},
		{open + "+0 `tc qdisc show`", "not run: the command tc"},
		{"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 connect(3, ..., ...) = 0", "does not return"},
		{"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < . 1:1(0) ack 1", "a packet of no connection"},
		{"0 `sysctl -q net.ipv4.tcp_nothing=1`\n+0 close(3) = 0", "not known here: net.ipv4.tcp_nothing=1"},
	} {
		s, err := Parse(c.text)
		if err == nil {
			err = s.Run()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestAssert(t *testing.T) {
	info := make([]byte, 104)
	info[0], info[80] = 1, 10 // state, snd_cwnd
	for claim, want := range map[string]bool{
		"tcpi_snd_cwnd == 10":                           true,
		"tcpi_snd_cwnd == 10, tcpi_snd_cwnd":            true,
		"9 < tcpi_snd_cwnd <= 10":                       true,
		"9 < tcpi_snd_cwnd < 10":                        false,
		"(tcpi_snd_cwnd & 3) != 2":                      false,
		"tcpi_snd_cwnd == 1 or tcpi_state == 1":         true,
		"tcpi_snd_cwnd == 1 and tcpi_state == 1":        false,
		"tcpi_snd_cwnd == 2 * 4 + 2 and 8 | 2 == 10":    true,
		"tcpi_state == TCP_ESTABLISHED # and much more": true,
		"tcpi_state == TCP_CLOSE":                       false,
	} {
		if err := assert("assert "+claim, info); (err == nil) != want {
			t.Errorf("%s: %v", claim, err)
		}
	}
	if err := assert("assert tcpi_delivered == 0", info); err == nil {
		t.Error("a member beyond the end")
	}
}

func FuzzParse(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.pkt")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("*  < icmp unreachable frag_needed mtu 1400 [0:10(10)]\n+.1...0.2 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 5}]}, 0) = 5")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if (s == nil) == (err == nil) {
			t.Error(s, err)
		}
	})
}
