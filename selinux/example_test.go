// SPDX-License-Identifier: Apache-2.0

package selinux_test

import (
	"fmt"
	"net/netip"

	"dialtone/selinux"
	"dialtone/selinux/defaultpolicy"
)

// An HTTP proxy may connect to HTTP ports alone; the policy says so, and why.
func Example() {
	server, err := selinux.NewServer(defaultpolicy.Policy())
	if err != nil {
		panic(err)
	}
	server.Audit = func(r selinux.Record) { fmt.Println(&r) }
	proxy, err := server.ContextToSID("system_u:system_r:http_proxy_t:s0")
	if err != nil {
		panic(err)
	}
	for _, port := range []uint16{80, 22} {
		data := selinux.AuditData{PID: 1234, Command: "squid", Destination: netip.AddrPortFrom(netip.Addr{}, port)}
		target := server.PortSID(6, port)
		ok := server.HasPerm(proxy, target, selinux.ClassTCPSocket, selinux.SocketNameConnect, &data)
		why := server.ExplainPerm(proxy, target, selinux.ClassTCPSocket, selinux.SocketNameConnect)
		fmt.Println(port, ok, why.Summary())
	}
	if err := server.SetBooleans(map[string]bool{"http_proxy_connect_any": true}); err != nil {
		panic(err)
	}
	fmt.Println(server.HasPerm(proxy, server.PortSID(6, 22), selinux.ClassTCPSocket, selinux.SocketNameConnect, nil))
	// Output:
	// 80 true allowed by allow http_proxy_t http_port_t:tcp_socket name_connect;
	// avc:  denied  { name_connect } for  pid=1234 comm="squid" dest=22 scontext=system_u:system_r:http_proxy_t:s0 tcontext=system_u:object_r:ssh_port_t:s0 tclass=tcp_socket permissive=0
	// 22 false denied: the rule is off: allow http_proxy_t port_type:tcp_socket name_connect; # if http_proxy_connect_any, which does not hold
	// true
}
