// SPDX-License-Identifier: Apache-2.0

// Package selinux is an SELinux security server in plain Go: it reads the binary policies that a Linux kernel loads
// and answers as the kernel would. It does no I/O, starts no goroutine and reads no clock, and needs no SELinux on
// the machine.
//
// A Policy is what Parse reads from a binary file, or CompileCIL from a text in a part of CIL. It never changes. A Server
// is one host's view of it: the states of the booleans, the mode, the SIDs given out in order of first use, and the
// cache of decisions.
//
//	policy, err := selinux.Parse(data)
//	server, err := selinux.NewServer(policy)
//	proxy, err := server.ContextToSID("system_u:system_r:proxy_t:s0")
//	port := server.PortSID(6, 22)
//	ok := server.HasPerm(proxy, port, selinux.ClassTCPSocket, selinux.SocketNameConnect, nil)
//
// There are two numberings of classes. Class and Perm are this package's constants, good for every policy: SIDs and
// HasPerm use them, and what a policy lacks of them is granted or denied by its handle_unknown. ClassValue and the
// bits of an AccessVector are those of one policy: contexts, ComputeAV and the tools use them.
//
// The rules are those of security/selinux/ss/services.c in the kernel; where libsepol, on which the command line
// tools are built, differs from the kernel, the method's comment says so.
//
// Not looked at: rules on single ioctl commands (extended permissions), names of new files in transitions, and
// contexts of files (fs_use, genfscon), since sockets need none of them. They are read past, and checked on the way.
package selinux
