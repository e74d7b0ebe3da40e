// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"
)

// TestSecondDecoder lets another decoder read what Append writes.
func TestSecondDecoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPacket(t)
		if rapid.Bool().Draw(t, "TCP") {
			p = drawSegment(t)
		}
		b, err := Append(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		first := layers.LayerTypeIPv6
		if p.Is4() {
			first = layers.LayerTypeIPv4
		}
		decoded := gopacket.NewPacket(b, first, gopacket.Default)
		checkIP(t, &p, decoded)
		checkBody(t, &p, decoded)
		if p.Proto == UDPLite {
			return // its checksum is not known there
		}
		for _, layer := range decoded.Layers() {
			if l, ok := layer.(interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}); ok {
				if err := l.SetNetworkLayerForChecksum(decoded.NetworkLayer()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err, wrong := decoded.VerifyChecksums(); err != nil || len(wrong) > 0 {
			t.Fatalf("% x: %v, %v", b, err, wrong)
		}
	})
}

func checkIP(t *rapid.T, p *Packet, decoded gopacket.Packet) {
	var got Packet
	switch ip := decoded.NetworkLayer().(type) {
	case *layers.IPv4:
		got = Packet{Proto: Protocol(ip.Protocol), TTL: ip.TTL, TOS: ip.TOS}
		got.Src, got.Dst = netip.AddrFrom4([4]byte(ip.SrcIP)), netip.AddrFrom4([4]byte(ip.DstIP))
		if ip.Flags != layers.IPv4DontFragment {
			t.Fatalf("IPv4 flags %v", ip.Flags)
		}
	case *layers.IPv6:
		got = Packet{Proto: Protocol(ip.NextHeader), TTL: ip.HopLimit, TOS: ip.TrafficClass, FlowLabel: ip.FlowLabel}
		got.Src, got.Dst = netip.AddrFrom16([16]byte(ip.SrcIP)), netip.AddrFrom16([16]byte(ip.DstIP))
	}
	want := Packet{Src: p.Src, Dst: p.Dst, Proto: p.Proto, TTL: p.TTL, TOS: p.TOS, FlowLabel: p.FlowLabel}
	if got.Src != want.Src || got.Dst != want.Dst || got.Proto != want.Proto || got.TTL != want.TTL ||
		got.TOS != want.TOS || got.FlowLabel != want.FlowLabel {
		t.Fatalf("IP header %+v, want %+v", got, want)
	}
}

func checkBody(t *rapid.T, p *Packet, decoded gopacket.Packet) {
	switch p.Proto {
	case TCP:
		tcp, ok := decoded.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("no TCP in %v", decoded)
		}
		got := Segment{
			SrcPort: uint16(tcp.SrcPort), DstPort: uint16(tcp.DstPort), Seq: tcp.Seq, Ack: tcp.Ack,
			Flags: tcpFlags(tcp), Window: tcp.Window, Urgent: tcp.Urgent,
		}
		want := p.TCP
		want.Options, want.Payload = Options{}, nil
		if !reflect.DeepEqual(got, want) || !bytes.Equal(tcp.Payload, p.TCP.Payload) {
			t.Fatalf("TCP %+v, want %+v", got, p.TCP)
		}
		for _, option := range tcp.Options {
			if option.OptionType == layers.TCPOptionKindMSS && binary.BigEndian.Uint16(option.OptionData) != p.TCP.Options.MSS {
				t.Fatalf("MSS %v, want %d", option, p.TCP.Options.MSS)
			}
		}
	case UDP:
		udp, ok := decoded.Layer(layers.LayerTypeUDP).(*layers.UDP)
		if !ok || uint16(udp.SrcPort) != p.UDP.SrcPort || uint16(udp.DstPort) != p.UDP.DstPort || !bytes.Equal(udp.Payload, p.UDP.Payload) {
			t.Fatalf("UDP %+v, want %+v", udp, p.UDP)
		}
	case ICMP:
		icmp, ok := decoded.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if !ok || icmp.TypeCode != layers.CreateICMPv4TypeCode(p.ICMP.Type, p.ICMP.Code) ||
			uint32(icmp.Id)<<16|uint32(icmp.Seq) != p.ICMP.Info {
			t.Fatalf("ICMP %+v, want %+v", icmp, p.ICMP)
		}
	case ICMPv6:
		icmp, ok := decoded.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6)
		if !ok || icmp.TypeCode != layers.CreateICMPv6TypeCode(p.ICMP.Type, p.ICMP.Code) {
			t.Fatalf("ICMPv6 %+v, want %+v", icmp, p.ICMP)
		}
	}
}

func tcpFlags(tcp *layers.TCP) (f Flags) {
	for i, set := range []bool{tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK, tcp.URG, tcp.ECE, tcp.CWR} {
		if set {
			f |= 1 << i
		}
	}
	return f
}
