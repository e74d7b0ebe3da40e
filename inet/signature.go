// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"bytes"
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/tcp"
	"dialtone/wire"
)

// This file is TCP_MD5SIG: segments that are signed with a key both ends know (RFC 2385).

// signingKey is the key for one peer.
type signingKey struct {
	peer netip.Addr // IPv4 is never mapped
	key  []byte
}

// keyFor returns the key for a peer, nil if there is none.
func (o *streamOptions) keyFor(peer netip.Addr) []byte {
	for i := range o.keys {
		if o.keys[i].peer == peer {
			return o.keys[i].key
		}
	}
	return nil
}

// struct tcp_md5sig (linux/tcp.h): the peer's sockaddr_storage, flags and prefix length (of TCP_MD5SIG_EXT), the key's
// length, an interface, the key.
const (
	lenSignature = 216
	keyLength    = 130
	keyOffset    = 136
	maxKey       = 80
)

// maxKeys is how many keys a socket may have: 136 bytes each of net.core.optmem_max (by experiment on Linux 6.18).
const maxKeys = 963

// setKey is TCP_MD5SIG (tcp_v4_parse_md5_keys, tcp_v6_parse_md5_keys): a key of no length takes the peer's off.
func (c *stream) setKey(value []byte) errno.Errno {
	if len(value) < lenSignature {
		return errno.EINVAL
	}
	a, _, e := c.stack.parse(c.family, value[:fullLen(c.family)])
	length := int(value[keyLength]) | int(value[keyLength+1])<<8
	if e != errno.OK || length > maxKey {
		return errno.EINVAL
	}
	known := c.opts.keyFor(a.IP) != nil
	if length == 0 && !known {
		return errno.ENOENT
	}
	keys := slices.DeleteFunc(slices.Clone(c.opts.keys), func(k signingKey) bool { return k.peer == a.IP })
	if length > 0 {
		if len(keys) >= maxKeys {
			return errno.ENOMEM
		}
		keys = append(keys, signingKey{a.IP, bytes.Clone(value[keyOffset : keyOffset+length])})
	}
	if len(keys) == 0 {
		keys = nil
	}
	c.change().keys = keys
	return errno.OK
}

// config returns the facts of a connection to peer: a signed one has no timestamps, for which the header has no room
// (tcp_syn_options).
func (c *stream) config(peer netip.Addr) *tcp.Config {
	shared := c.stack.config()
	if c.opts.keyFor(peer) == nil {
		return shared
	}
	own := *shared
	own.Timestamps = false
	return &own
}

// maxSignedBlocks is how many SACK blocks fit beside a signature, in 40 bytes of options.
const maxSignedBlocks = 2

// sign signs a segment, if there is a key for the peer. What then finds no room in the header is left out: all but two
// SACK blocks (tcp_established_options), and the cookie of a fast open (tcp_syn_options).
func (c *stream) sign(p *wire.Packet) {
	key := c.opts.keyFor(p.Dst)
	if key == nil {
		return
	}
	o := &p.TCP.Options
	o.SACKBlocks = min(o.SACKBlocks, maxSignedBlocks)
	sum, err := p.Signature(key)
	if err != nil {
		o.HasFastOpen, o.FastOpen = false, nil
		sum, err = p.Signature(key)
	}
	if err == nil { // else the peer drops it
		o.MD5 = &sum
	}
}

// genuine reports whether a segment is signed as it must be: with the key for its sender, or not at all where there is none
// (tcp_inbound_hash). What is not is dropped in silence.
func (c *stream) genuine(p *wire.Packet) bool {
	key, signature := c.opts.keyFor(p.Src), p.TCP.Options.MD5
	if key == nil || signature == nil {
		return key == nil && signature == nil
	}
	want, err := p.Signature(key)
	return err == nil && *signature == want
}
