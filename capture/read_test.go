// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"dialtone/wire"
)

// raw is DLT_RAW.
const raw layers.LinkType = 12

// seen is a packet of a file, as another's code reads it.
type seen struct {
	where    string // HOST/INTERFACE
	out      bool
	at       time.Time
	data     []byte
	comments []string
}

// read returns a file's packets, whose checksums must be right.
func read(t testing.TB, file []byte) (all []seen, interfaces []pcapgo.NgInterface) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{ErrorOnMismatchingLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != raw || r.SectionInfo().Application != "dialtone" {
		t.Fatalf("link type %v, application %q", r.LinkType(), r.SectionInfo().Application)
	}
	for {
		data, info, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(all)+1, err)
		}
		if info.Length != len(data) || info.CaptureLength != len(data) {
			t.Errorf("packet %d: %d bytes, lengths %d and %d", len(all)+1, len(data), info.CaptureLength, info.Length)
		}
		i, err := r.Interface(info.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 0 {
			if _, err := wire.Parse(data); err != nil { // the checksums, too
				t.Errorf("packet %d: %v", len(all)+1, err)
			}
		}
		all = append(all, seen{i.Name, options.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound, info.Timestamp, data, options.Comments})
	}
	for n := range r.NInterfaces() {
		i, err := r.Interface(n)
		if err != nil {
			t.Fatal(err)
		}
		if i.LinkType != raw || i.SnapLength != 262144 || i.TimestampResolution != 9 {
			t.Errorf("interface %+v", i)
		}
		interfaces = append(interfaces, i)
	}
	return all, interfaces
}

// line tells what a packet is, in a line, by gopacket's decoder: where, which way, what.
func (s seen) line(t testing.TB) string {
	t.Helper()
	arrow := "<"
	if s.out {
		arrow = ">"
	}
	p := gopacket.NewPacket(s.data, raw, gopacket.DecodeOptions{})
	if e := p.ErrorLayer(); e != nil {
		t.Errorf("%x: %v", s.data, e.Error())
		return ""
	}
	flow := p.NetworkLayer().NetworkFlow()
	text := fmt.Sprintf("%s %s %v %v ", s.where, arrow, flow.Src(), flow.Dst())
	for _, l := range p.Layers()[1:] {
		switch l := l.(type) {
		case *layers.TCP:
			text += flags(l) + fmt.Sprint(" ", len(l.Payload))
		case *layers.UDP:
			text += fmt.Sprint("udp ", len(l.Payload))
		case *layers.ICMPv4:
			text += l.TypeCode.String()
		case *layers.ICMPv6:
			text += l.TypeCode.String()
		}
	}
	return text
}

func flags(l *layers.TCP) string {
	var all []string
	for _, f := range []struct {
		set  bool
		name string
	}{{l.SYN, "SYN"}, {l.FIN, "FIN"}, {l.RST, "RST"}, {l.PSH, "PSH"}, {l.ACK, "ACK"}} {
		if f.set {
			all = append(all, f.name)
		}
	}
	return strings.Join(all, "|")
}

// timeline tells the packets in lines, each behind how long after the first it was seen.
func timeline(t testing.TB, all []seen) string {
	t.Helper()
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%v %s\n", s.at.Sub(all[0].at), s.line(t))
	}
	return b.String()
}

// byHost sorts packets by their times, those of one time by where they were seen: which of two hosts is first is chance then.
func byHost(all []seen) []seen {
	slices.SortStableFunc(all, func(a, b seen) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.where, b.where)) })
	return all
}
