// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"dialtone"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/personality"
)

// pollProgram prints what poll(2) and select(2) say in each situation of
// conformance/cases/personalities/poll.txt.
const pollProgram = `
import select, socket, sys
web = sys.argv[1]
NAMES = [(1, "IN"), (4, "OUT"), (8, "ERR"), (16, "HUP"), (0x2000, "RDHUP")]
def poll(s, ms=0, wanted=5):
    p = select.poll()
    p.register(s, wanted)
    got = p.poll(ms)
    return "|".join(n for b, n in NAMES if got and got[0][1] & b) or "0"
def pick(s):
    r, w, _ = select.select([s], [s], [], 0)
    return "|".join(["read"] * len(r) + ["write"] * len(w)) or "0"
def start(port):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((web, port))
    return s
def settled(s):
    poll(s, 10000)
    return s
s = socket.socket()
print("fresh:", poll(s), pick(s))
s = start(9)
print("connecting:", poll(s), pick(s))
s = settled(start(7))
print("connected:", poll(s), pick(s))
s = settled(start(1))
print("refused:", poll(s), pick(s))
print("refused, SO_ERROR:", s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
print("refused, told:", poll(s), pick(s), s.recv(10))
s = settled(start(1))
try:
    print("refused, read:", s.recv(10))
except OSError as e:
    print("refused, read:", e.errno)
s = settled(start(8))
poll(s, 10000, 1)
print("half closed:", poll(s), pick(s))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("datagram:", poll(s), pick(s))
s.connect((web, 1))
s.send(b"x")
poll(s, 10000, 1)
print("datagram refused:", poll(s), pick(s), s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
`

// What a hosted program is shown of readiness under each personality, and where
// that is not what the system itself shows (doc.go says why).
func TestHostedPoll(t *testing.T) {
	needs(t, "python3")
	linux := map[string]string{
		"fresh":             "OUT|HUP read|write",
		"connecting":        "0 0",
		"connected":         "OUT write",
		"refused":           "IN|OUT|ERR|HUP read|write",
		"refused, SO_ERROR": "111 0",
		"refused, told":     "IN|OUT|HUP read|write b''",
		"refused, read":     "104", // not 111, as all of them
		"half closed":       "IN|OUT read|write",
		"datagram":          "OUT write",
		"datagram refused":  "OUT|ERR read|write 111",
	}
	bsd := map[string]string{
		"fresh":             "OUT|HUP read|write", // not the system's own "0 0"
		"connecting":        "0 0",
		"connected":         "OUT write",
		"refused":           "IN|OUT|HUP read|write",
		"refused, SO_ERROR": "111 0",
		"refused, told":     "IN|OUT|HUP read|write b''",
		"refused, read":     "b''", // not 111
		"half closed":       "IN|OUT read|write",
		"datagram":          "OUT write",
		"datagram refused":  "OUT|ERR read|write 111", // not the system's own "IN|OUT read|write"
	}
	for _, c := range []struct {
		system *personality.Personality
		want   map[string]string
	}{{personality.Linux, linux}, {personality.FreeBSD, bsd}, {personality.Darwin, bsd}} {
		t.Run(c.system.Name, func(t *testing.T) {
			v := newVirtual(t, Options{})
			v.serveEcho(t)
			h, err := v.net.NewHost("polling.test", c.system)
			if err != nil {
				t.Fatal(err)
			}
			wire := link.NewCable(0)
			for at, a := range map[*dialtone.Host]string{h: "10.7.0.1/24", v.web: "10.7.0.2/24"} {
				if _, err := at.Attach("wire0", wire, netip.MustParsePrefix(a)); err != nil {
					t.Fatal(err)
				}
			}
			v.web.Stack().Core().Lock()
			v.web.Stack().Firewall.Input.Rules = []firewall.Rule{
				{DstPorts: firewall.Ports{First: 9, Last: 9}, Verdict: firewall.Verdict{Action: firewall.Drop}},
			}
			v.web.Stack().Core().Unlock()
			l, err := v.web.Listen("tcp", ":8")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go closeAll(l)
			out, status := v.runOn(t, h, nil, "python3", "-c", pollProgram, "10.7.0.2")
			if status != 0 {
				t.Fatalf("status %d: %s", status, out)
			}
			got := map[string]string{}
			for line := range strings.Lines(out) {
				name, said, _ := strings.Cut(strings.TrimSpace(line), ": ")
				got[name] = said
			}
			for name, want := range c.want {
				if got[name] != want {
					t.Errorf("%s: %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

// closeAll closes each connection as soon as it is there.
func closeAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		c.Close()
	}
}
