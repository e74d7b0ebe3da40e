// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"dialtone"
)

func init() { programs["packets"] = packetsProgram }

// packetsProgram prints a capture, a packet a line: packets FILE.
func packetsProgram() {
	file, err := os.Open(os.Args[1])
	must(err)
	must(printPackets(os.Stdout, file))
}

// printPackets prints where each packet of a file was seen, which way it went, and what it is.
func printPackets(w io.Writer, file io.Reader) error {
	r, err := pcapgo.NewNgReader(file, pcapgo.NgReaderOptions{})
	if err != nil {
		return err
	}
	for {
		data, info, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		i, err := r.Interface(info.InterfaceIndex)
		if err != nil {
			return err
		}
		arrow := map[pcapgo.NgEpbFlag]string{pcapgo.NgEpbFlagDirectionInbound: "<", pcapgo.NgEpbFlagDirectionOutbound: ">"}
		p := gopacket.NewPacket(data, i.LinkType, gopacket.DecodeOptions{})
		fmt.Fprintf(w, "%s %s %v", i.Name, arrow[options.Flags.Direction], p.NetworkLayer().NetworkFlow())
		switch l := p.TransportLayer().(type) {
		case *layers.TCP:
			fmt.Fprintf(w, " tcp %d %d syn=%v ack=%v fin=%v %q", l.SrcPort, l.DstPort, l.SYN, l.ACK, l.FIN, l.Payload)
		case *layers.UDP:
			fmt.Fprintf(w, " udp %d %d %q", l.SrcPort, l.DstPort, l.Payload)
		}
		fmt.Fprintf(w, " %q\n", options.Comments)
	}
}

// chatter is a network with a capture that goes to a file, and something to be captured.
type chatter struct {
	*dialtone.Network
	recorder *recorder
	stderr   bytes.Buffer
}

func newChatter(t *testing.T, path string) *chatter {
	t.Helper()
	c := &chatter{Network: dialtone.NewNetwork()}
	c.Host("web.test")
	var err error
	if c.recorder, err = openRecorder(path, &c.stderr); err != nil {
		t.Fatal(err)
	}
	return c
}

// say sends so many datagrams of 100 bytes from a host to itself.
func (c *chatter) say(t *testing.T, datagrams int) {
	t.Helper()
	h := c.Host("web.test")
	l, err := h.ListenPacket("udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	from, err := h.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for range datagrams {
		if _, err := from.Write(make([]byte, 100)); err != nil {
			t.Error(err)
		}
	}
}

// A file that takes no more has all packets that went in, and nothing of the one that did not. The user is told once.
func TestRecorderFull(t *testing.T) {
	fd, err := unix.MemfdCreate("full", unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "full")
	defer file.Close()
	c := newChatter(t, fmt.Sprintf("/proc/self/fd/%d", fd))
	const room = 4096 // a page: what is written across its end is written in part
	if err := file.Truncate(room); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW); err != nil {
		t.Fatal(err)
	}
	if err := c.recorder.start(c.Network); err != nil {
		t.Fatal(err)
	}
	c.say(t, 100)
	if got, want := c.stderr.String(), fmt.Sprintf("dialtone: --capture: write /proc/self/fd/%d: operation not permitted; the programs run on\n", fd); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if err := c.recorder.Close(); err == nil || !strings.HasSuffix(err.Error(), " is not complete") {
		t.Errorf("at the end: %v", err)
	}
	var packets bytes.Buffer
	if err := printPackets(&packets, file); err != nil {
		t.Error(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const block = 32 + 128 + 8 + 4 // of a packet of 128 bytes: its header and end, itself, its direction, the end of options
	if n := strings.Count(packets.String(), "\n"); n == 0 || info.Size() > room || info.Size() <= room-block {
		t.Errorf("%d packets, %d bytes, where there is room for %d", n, info.Size(), room)
	}
}

// Who reads from a pipe and goes ends the capture, not the program.
func TestRecorderPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reading := make(chan *os.File)
	go func() {
		reader, err := os.Open(path)
		if err != nil {
			t.Error(err)
		}
		reading <- reader
	}()
	c := newChatter(t, path)
	reader := <-reading
	if err := c.recorder.start(c.Network); err != nil {
		t.Fatal(err)
	}
	c.say(t, 1)
	reader.Close()
	c.say(t, 2)
	if got := c.stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "broken pipe") {
		t.Errorf("told %q", got)
	}
	if err := c.recorder.Close(); err == nil || err.Error() != "the capture in "+path+" is not complete" {
		t.Errorf("at the end: %v", err)
	}
}
