// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// Do changes the world.
func (w *world) Do(action conformance.Action) error {
	switch a := action.(type) {
	case conformance.Sleep:
		time.Sleep(a.For)
		return nil
	case conformance.Sysctl:
		return w.sysctl(a)
	case conformance.Firewall:
		return w.firewall(a)
	case conformance.Route:
		return w.hosts[a.Host].run("ip", routeArgs(a)...)
	case conformance.Rule:
		return w.hosts[a.Host].run("ip", family(a.Destination.Addr().Is6()), "rule", "add", "to", a.Destination.String(), a.Type)
	case conformance.Interface:
		return w.setInterface(a)
	case conformance.InterfaceAddress:
		args := []string{"address", "add", a.Address.String(), "dev", a.Interface}
		if a.Delete {
			args[1] = "del"
		} else if a.Address.Addr().Is6() {
			args = append(args, "nodad")
		} else {
			args = append(args, "broadcast", "+")
		}
		return w.hosts[a.Host].run("ip", args...)
	case conformance.Delay:
		return w.delay(a)
	case conformance.ICMP:
		return w.icmp(a)
	case conformance.Stop:
		return w.stop(a)
	case conformance.DenyConnect:
		return w.denyConnect(a)
	default:
		return w.file(action)
	}
}

func family(v6 bool) string {
	if v6 {
		return "-6"
	}
	return "-4"
}

func (w *world) sysctl(a conformance.Sysctl) error {
	path := "/proc/sys/" + strings.ReplaceAll(a.Name, ".", "/")
	return w.hosts[a.Host].do(func() error { return os.WriteFile(path, []byte(a.Value), 0) })
}

func routeArgs(a conformance.Route) []string {
	verb := "add"
	if a.Delete {
		verb = "del"
	}
	args := []string{family(a.Destination.Addr().Is6()), "route", verb, a.Type, a.Destination.String()}
	if a.Via.IsValid() {
		args = append(args, "via", a.Via.String())
	}
	if a.Interface != "" {
		args = append(args, "dev", a.Interface)
	}
	if a.Source.IsValid() {
		args = append(args, "src", a.Source.String())
	}
	return args
}

// firewall keeps one table with two chains; the policy accepts.
func (w *world) firewall(a conformance.Firewall) error {
	h := w.hosts[a.Host]
	if a.Flush {
		return h.run("nft", "flush ruleset")
	}
	rule := "meta l4proto " + a.Protocol
	if a.Port != 0 {
		rule = fmt.Sprintf("%s dport %d", a.Protocol, a.Port)
	}
	if a.AckOnly {
		rule += " tcp flags & (syn|ack) == ack"
	}
	switch {
	case a.Verdict == "drop":
		rule += " drop"
	case a.Verdict == "tcp-reset":
		rule += " reject with tcp reset"
	case a.Reject != "":
		rule += " reject with " + a.Reject + " type " + a.Verdict
	default:
		rule += " reject"
	}
	var script strings.Builder
	fmt.Fprintln(&script, "add table inet f")
	for _, chain := range []string{"input", "output"} {
		fmt.Fprintf(&script, "add chain inet f %s { type filter hook %s priority 0; }\n", chain, chain)
	}
	fmt.Fprintf(&script, "add rule inet f %s %s\n", a.Chain, rule)
	return h.run("nft", script.String())
}

func (w *world) delay(a conformance.Delay) error {
	err := w.hosts[a.Host].run("tc", "qdisc", "replace", "dev", a.Interface, "root", "netem", "delay", a.Delay.String())
	if err != nil && strings.Contains(err.Error(), "qdisc kind is unknown") {
		return conformance.NotRun("this kernel has no netem queue (CONFIG_NET_SCH_NETEM) for delays on a link")
	}
	return err
}

// stop stops a process and waits until the kernel shows it stopped, or continues it.
func (w *world) stop(a conformance.Stop) error {
	pid := w.processes[a.Process].cmd.Process.Pid
	if a.Continue {
		return unix.Kill(pid, unix.SIGCONT)
	}
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return err
	}
	var info unix.Siginfo
	return unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOWAIT, nil)
}
