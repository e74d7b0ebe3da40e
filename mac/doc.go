// SPDX-License-Identifier: Apache-2.0

// Package mac is mandatory access control in the socket calls: what a kernel's SELinux module does beside its security
// server, and what Flask's socket calls of 1998 add to it. A [Module] is one host's; it implements [socket.Access].
//
// The checks and their order are those of Linux (security/selinux/hooks.c): after the descriptor is found and the address
// copied, before the protocol looks at anything. So EACCES comes before EISCONN or ECONNREFUSED, but after EBADF, ENOTSOCK
// and EFAULT. Between two AF_UNIX sockets it comes last.
//
// On links only contexts travel, as text. The receiving host gives each its own SID; one that its policy does not accept
// counts as unlabeled, and a packet without one as the message label of the interface it came in by.
//
// Three sets of checks can be on:
//
//   - those of calls, always;
//   - those of Flask between the two sockets of a conversation (recvfrom, connectto, acceptfrom, newconn, sendto): where
//     the policy declares connectto for tcp_socket, as the default policy does, or as [Module.SetFlask] says;
//   - those of Linux's labelled networking on packets (netif ingress and egress, node recvfrom and sendto, peer recv):
//     where the policy has always_check_network, or as [Module.SetLabelled] says.
//
// The conditions of connect_secure and sendto_secure hold whatever is on. conformance/cases/secure has a case for each.
package mac
