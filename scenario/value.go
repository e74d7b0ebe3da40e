// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/wire"
)

// value is one scalar of the file, and where it stands. T is one of the types that parseScalar knows.
type value[T any] struct {
	v  T
	at position
}

// given reports whether the key was in the file.
func (v *value[T]) given() bool { return v.at != position{} }

// or returns the value, or fallback if the key was not in the file.
func (v *value[T]) or(fallback T) T {
	if v.given() {
		return v.v
	}
	return fallback
}

func (v *value[T]) decode(d *decoder, n ast.Node) {
	v.at = positionOf(n)
	scalar, ok := n.(ast.ScalarNode)
	switch n.(type) {
	case *ast.NullNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		ok = false // goccy counts some of them among the scalars
	}
	if !ok {
		d.wrong(n, wanted(&v.v)+hint(n, &v.v))
		return
	}
	if text := scalarText(scalar); !parseScalar(text, &v.v) {
		d.add(v.at, "%s, expected %s", quoted(text), wanted(&v.v))
	}
}

// hint explains what the parser makes of an unquoted fd00::1 within { }.
func hint(n ast.Node, into any) string {
	switch into.(type) {
	case *netip.Addr, *netip.Prefix:
		if n.Type() == ast.MappingType || n.Type() == ast.MappingValueType {
			return "; within { } an IPv6 address needs quotes"
		}
	}
	return ""
}

// list is a YAML list of decodable parts or structs.
type list[T any] []T

func (l *list[T]) decode(d *decoder, n ast.Node) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(n, "a list")
		return
	}
	*l = make(list[T], len(sequence.Values))
	for i, item := range sequence.Values {
		d.decode(item, &(*l)[i])
	}
}

// table is a YAML mapping from names that the file chooses, in the file's order.
type table[T any] []entry[T]

// entry is one of a table.
type entry[T any] struct {
	name value[string]
	v    T
}

func (t *table[T]) decode(d *decoder, n ast.Node) {
	pairs, ok := d.mapping(n, "a mapping")
	if !ok {
		return
	}
	*t = make(table[T], 0, len(pairs))
	for _, pair := range pairs {
		key, ok := d.key(pair.Key)
		if !ok {
			continue
		}
		*t = append(*t, entry[T]{name: value[string]{key, positionOf(pair.Key)}})
		d.decode(pair.Value, &(*t)[len(*t)-1].v)
	}
}

// word is a scalar that must be one of a few.
type word interface {
	choices() []string
	choose(i int)
}

// parseScalar reads text into into; it returns false if that can't be.
func parseScalar(text string, into any) bool {
	var err error
	switch into := into.(type) {
	case *string:
		*into = text
	case *bool:
		*into = text == "true"
		return *into || text == "false"
	case *uint16:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 16)
		*into = uint16(n)
	case *uint64:
		*into, err = strconv.ParseUint(text, 10, 64)
	case *time.Duration:
		*into, err = time.ParseDuration(text)
		return err == nil && *into >= 0
	case *netip.Addr:
		*into, err = netip.ParseAddr(text)
		return err == nil && into.Zone() == "" && !into.Is4In6()
	case *netip.Prefix:
		*into, err = netip.ParsePrefix(text)
		return err == nil && !into.Addr().Is4In6()
	case *firewall.Ports:
		return parsePorts(text, into)
	case *firewall.Verdict:
		return parseVerdict(text, into)
	case *wire.Protocol:
		i, ok := index(protocolNames, text)
		if ok {
			*into = protocols[i]
		}
		return ok
	case *share:
		return into.parse(text)
	case *bitRate:
		return into.parse(text)
	case *errno.Errno:
		return parseErrno(text, into)
	case word:
		i, ok := index(into.choices(), text)
		if ok {
			into.choose(i)
		}
		return ok
	default:
		panic(fmt.Sprintf("scenario: no way to read a %T", into))
	}
	return err == nil
}

// wanted says in words what parseScalar takes.
func wanted(into any) string {
	switch into := into.(type) {
	case *string:
		return "text"
	case *bool:
		return "true or false"
	case *uint16:
		return "a whole number from 0 to 65535"
	case *uint64:
		return "a whole number, 0 or more"
	case *time.Duration:
		return "a time with its unit, such as 200ms or 1.5s"
	case *netip.Addr:
		return "an IP address, such as 10.0.0.1 or fd00::1"
	case *netip.Prefix:
		return "an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64"
	case *firewall.Ports:
		return "a port or a range of ports, such as 80 or 8000-8999"
	case *firewall.Verdict:
		return "accept, drop, or reject with one of " + strings.Join(rejectionNames(), ", ")
	case *wire.Protocol:
		return "one of " + strings.Join(protocolNames, ", ")
	case *share:
		return "a share between 0 and 1, such as 0.01"
	case *bitRate:
		return "a rate with its unit, such as 500kbit, 10mbit or 1.5gbit"
	case *errno.Errno:
		return "the name of an error, such as ECONNREFUSED"
	case word:
		return "one of " + strings.Join(into.choices(), ", ")
	}
	panic(fmt.Sprintf("scenario: no words for a %T", into))
}

// index returns where text is in names.
func index(names []string, text string) (int, bool) {
	for i, name := range names {
		if name == text {
			return i, true
		}
	}
	return 0, false
}

var (
	protocolNames = []string{"icmp", "icmpv6", "tcp", "udp", "udplite"}
	protocols     = []wire.Protocol{wire.ICMP, wire.ICMPv6, wire.TCP, wire.UDP, wire.UDPLite}
)

func parsePorts(text string, into *firewall.Ports) bool {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	return parseScalar(first, &into.First) && parseScalar(last, &into.Last) && into.First > 0 && into.First <= into.Last
}

// parseVerdict reads a verdict as [firewall.Verdict.String] writes it.
func parseVerdict(text string, into *firewall.Verdict) bool {
	all := []firewall.Verdict{{Action: firewall.Accept}, {Action: firewall.Drop}}
	for _, r := range firewall.Rejections() {
		all = append(all, firewall.Verdict{Action: firewall.Reject, With: r})
	}
	for _, v := range all {
		if v.String() == text {
			*into = v
			return true
		}
	}
	return false
}

func rejectionNames() []string {
	var names []string
	for _, r := range firewall.Rejections() {
		names = append(names, r.String())
	}
	return names
}
