// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"time"
)

// Resolver returns a resolver that knows the network's names and no others, for what takes a *[net.Resolver]: the hosts,
// what [Network.AddName] added, and the names of addresses. It asks nobody outside of the process.
//
// It is package net's own resolver, so the files of the machine count: what /etc/hosts says comes before the network,
// and the search list of /etc/resolv.conf is tried. A final dot keeps the search list out.
func (n *Network) Resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return &nameConn{network: n, givenUp: ctx.Done()}, nil
		},
	}
}

// nameConn is a connection to the network's name server, which answers in the goroutine of who asks. Questions and
// answers are as over TCP: each behind its length in two bytes (RFC 1035, 4.2.2).
type nameConn struct {
	network  *Network
	question []byte
	answer   []byte
	givenUp  <-chan struct{} // package net's time for this question is over
}

// Write takes a question, and answers it when it is complete.
func (c *nameConn) Write(b []byte) (int, error) {
	c.question = append(c.question, b...)
	for len(c.question) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(c.question))
		if len(c.question) < end {
			break
		}
		if a := c.network.answerName(c.question[2:end]); a != nil {
			c.answer = binary.BigEndian.AppendUint16(c.answer, uint16(len(a)))
			c.answer = append(c.answer, a...)
		}
		c.question = c.question[end:]
	}
	return len(b), nil
}

// Read returns what is left of the answer, and waits in vain for one that does not come.
func (c *nameConn) Read(b []byte) (int, error) {
	if len(c.answer) == 0 {
		<-c.givenUp
		return 0, &net.OpError{Op: "read", Net: nameAddr{}.Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.ErrDeadlineExceeded}
	}
	n := copy(b, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}

// nameAddr is both ends of a nameConn.
type nameAddr struct{}

func (nameAddr) Network() string { return "tcp" }
func (nameAddr) String() string  { return "names.dialtone" }

func (c *nameConn) Close() error                     { return nil }
func (c *nameConn) LocalAddr() net.Addr              { return nameAddr{} }
func (c *nameConn) RemoteAddr() net.Addr             { return nameAddr{} }
func (c *nameConn) SetDeadline(time.Time) error      { return nil } // givenUp has it
func (c *nameConn) SetReadDeadline(time.Time) error  { return nil }
func (c *nameConn) SetWriteDeadline(time.Time) error { return nil }

// Package net reads the machine's files when its resolver is first used, and keeps channels from then on. If that is in
// a synctest bubble the channels are the bubble's, and the next one who looks up a name elsewhere ends the process ("send
// on synctest channel from outside bubble", seen with Go 1.26). So it is used once before there can be a bubble; it asks
// nobody.
func init() {
	r := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, net.ErrClosed
	}}
	_, _ = r.LookupIPAddr(context.Background(), "dialtone.invalid.") // fails, and has read the files by then
}
