// SPDX-License-Identifier: Apache-2.0

// Package unixdomain is AF_UNIX on one host (unix(7)): SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET, by pathname, abstract
// name, or without a name; and the host's file tree, in which pathnames are looked up.
//
// # A connection's path
//
//	name.go       what the address means: the path walked (treewalk.go), who is bound there
//	connect.go    admission: listening, room, state; then the listener's queue
//	stream.go     bytes;  record.go  datagrams and sequenced packets;  packet.go, packetqueue.go  what is in a queue
//
// Everything is by the rules of Linux's net/unix/af_unix.c as seen from outside, and of path_resolution(7); facts that
// differ elsewhere are asked of the personality. Nothing here waits: an endpoint that has no room answers EAGAIN, and says
// where room will be told.
//
// # What is not here
//
// Urgent data on streams (MSG_OOB), SO_PEEK_OFF, SO_RCVLOWAT, SO_PASSSEC and SO_PASSPIDFD. Sockets that hold each other
// only by messages in their own queues are not found and closed, as Linux's garbage collector would do.
package unixdomain
