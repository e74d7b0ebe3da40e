// SPDX-License-Identifier: Apache-2.0

// Package dialtone is connect(2) in user space: hosts with sockets, joined by links in memory, for tests of programs that
// use the network.
//
// A [Network] has hosts. A [Host] dials and listens like package net, over TCP, UDP and UNIX sockets of its own. What
// comes back are a [net.Conn], a [net.Listener], a [net.PacketConn], with real addresses, and the errors that the
// operating system would give:
//
//	n := dialtone.NewNetwork()
//	web, client := n.Host("web.test"), n.Host("client.test")
//	l, err := web.Listen("tcp", ":80")
//	...
//	c, err := client.Dial("tcp", "web.test:81")
//	errors.Is(err, syscall.ECONNREFUSED) // true
//
// There is no kernel socket behind it, and no goroutine: everything happens in memory, in the goroutines of the callers.
// A network needs no closing.
//
// # In place of package net
//
// What takes a dial function takes [Host.DialContext]: [net/http.Transport], database drivers, grpc.WithContextDialer.
// What takes a listener takes that of [Host.Listen]. Where there are options they are those of [Dialer] and
// [ListenConfig]; what wants a *[net.Resolver] gets [Network.Resolver]. Error values have the types, operations and
// addresses that package net gives them. What a socket in memory can't have is a file descriptor: File fails with
// [ErrNoFile], and there is [Conn.RawConn] instead of SyscallConn.
//
// # Time
//
// All time comes from one clock. By default that is real time; inside a [testing/synctest] bubble it is the bubble's: a
// connection attempt that nobody answers ends with ETIMEDOUT after its 131 seconds, at once. A network belongs to the
// bubble it was made in: used on the other side of a bubble's wall it panics, and says what to do. [WithClock] gives it a
// clock of your own.
//
// A bubble ends when its goroutines have: close listeners and both ends of connections, an HTTP client's idle ones too.
// Where there is latency wait for the servers' goroutines as well: once the test function has returned a bubble's time
// stands still, and what is under way does not arrive.
//
// It stands still, too, while a goroutine waits for a sync.Mutex (see [testing/synctest]). Where one is held during a
// Write, as by net/http's client of HTTP/2 and by x/crypto/ssh, and the other end has not read enough yet, the bubble
// hangs: make room for all that is written, with
//
//	host.SetSysctl("net.ipv4.tcp_wmem", "4096 67108864 67108864") // bytes; before the connection
//
// Whatever is left to chance (lost packets, implicit ports) comes from the network's seed ([WithSeed]), the packet's flow
// and its number, never from the order in which goroutines happen to run: the same seed, the same run. What your own
// goroutines do at the same instant, and a select with several ways to go, is left to Go's scheduler.
//
// # Trouble
//
//	n.Hub().Cut()                                        // nobody hears anybody, until Heal
//	n.Hub().SetLatency(50 * time.Millisecond)            // one way
//	n.Impair(link.Rule{Effect: link.Effect{Loss: 0.01}}) // jitter, rate, bursts, order: see [link.Effect]
//	n.Impair(link.Rule{From: app, Action: link.Drop})    // a partition, one way; app is a netip.Prefix
//	n.Fault(dialtone.Fault{To: "db.test", Nth: 3, Times: 1, Errno: errno.ETIMEDOUT})
//	n.FaultName("db.test", dialtone.NameServFail)        // nobody can look it up
//	db.Crash()                                           // without a word; db.Restart() comes back empty
//	db.Firewall(func(f *firewall.Firewall) { ... })      // drop or reject, with each of the answers there are
//
// Nobody is told that the other end is cut off or has crashed: a Read waits, for ever if there is neither a deadline nor
// keep-alive, which is off unless [Dialer] or [ListenConfig] turn it on. A bubble in which all wait so ends with "deadlock:
// all goroutines in bubble are blocked"; but where a Write waits for an end that does not read, TCP asks it for ever, and
// the bubble ends with the test's time: give it a deadline.
//
// A dial by name goes on to the host's other address when one fails: give rules for both ([Host.Addresses]), or dial
// "tcp4", else it gets over what has befallen one of them.
//
// Why a connect ended as it did, layer by layer, says a [trail.Trail] given with [WithTrail]. Package capture writes the
// packets as a file for Wireshark.
//
// # The machine under it
//
// [Network.Host] makes hosts that all hear each other, each with an address of IPv4 and of IPv6. Other topologies are
// made of [Network.NewHost], [Host.Attach] and the links of package link. [Host.Stack] has interfaces, routes and sysctls,
// [Host.Tree] the files in which UNIX sockets have their names. Package scenario reads all of it from a file.
//
// A [Process] makes the calls themselves: descriptors, non-blocking sockets, poll, credentials; with the
// manual's names and results.
//
// # Layers
//
//	Host.Dial, net.Conn         dial.go, conn.go        what Go programs use
//	Process                     process.go              descriptors, and the calls with the manual's names and results
//	socket.Socket               socket/                 states, errors, waiting
//	unixdomain, inet            the address families; netlink, packet and vsock are as much as connect asks for
//	tcp, firewall, link, wire   the mechanisms below
//
// docs/how-connect-travels.md follows one connect through all of them.
package dialtone
